/// What to do about it. Nothing is ever applied by the engine.
package struct Fix: Sendable, Hashable, Codable {
    /// One sentence.
    package var summary: String
    /// Commands to type, in order.
    package var commands: [String]
    /// A change of a configuration: unified diff, or lines to add.
    package var diff: String?
    /// The change as an edit of one line, when its place is known; the doctor makes the diff from it.
    package var edit: Edit?
    /// What the change may cost: `--apply` leaves it to a person. nil: nothing.
    package var caution: String?

    /// Replaces `from` by `to` on one line of a file.
    package struct Edit: Sendable, Hashable, Codable {
        /// Absolute path.
        package var file: String
        /// From 1.
        package var line: Int
        package var from: String
        package var to: String
        package init(file: String, line: Int, from: String, to: String) {
            self.file = file; self.line = line; self.from = from; self.to = to
        }
        /// From a place such as `/etc/nginx/nginx.conf:12`; nil when it is none.
        package init?(place: String?, from: String, to: String) {
            guard let place, let colon = place.lastIndex(of: ":"), let line = Int(place[place.index(after: colon)...])
            else { return nil }
            self.init(file: String(place[..<colon]), line: line, from: from, to: to)
        }
    }

    package init(_ summary: String, commands: [ShellCommand] = [], diff: String? = nil, edit: Edit? = nil, caution: String? = nil) {
        self.summary = summary; self.commands = commands.map(\.text); self.diff = diff; self.edit = edit; self.caution = caution
    }
}
