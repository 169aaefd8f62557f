/// One fact a verdict rests on, with the place a person can check it.
package struct EvidenceLine: Sendable, Hashable, Codable {
    /// What was seen, secrets masked, not yet escaped for its medium.
    package var text: String
    /// A path, a command or a log line's place.
    package var source: String
    package var time: Timestamp?

    package init(_ text: String, source: String, time: Timestamp? = nil) {
        self.text = SecretMask.mask(text); self.source = source; self.time = time
    }
}
