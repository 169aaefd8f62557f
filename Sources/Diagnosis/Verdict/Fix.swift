/// What to do about it. Nothing is ever applied by the engine.
package struct Fix: Sendable, Hashable, Codable {
    package var summary: String
    /// Commands to type, in order.
    package var commands: [String]
    /// A change of a configuration: unified diff, or lines to add.
    package var diff: String?

    package init(_ summary: String, commands: [String] = [], diff: String? = nil) {
        self.summary = summary; self.commands = commands; self.diff = diff
    }
}
