/// What `goodgate init` made.
struct InitReport: Codable, Sendable {
    /// The folder of the application.
    var folder: String
    /// What the configuration was made from; the path of a configuration that is whole already.
    var origin: String
    /// What was written; nil: nothing.
    var file: String?
    /// The text; nil where the origin runs as it is.
    var configuration: String?
}
