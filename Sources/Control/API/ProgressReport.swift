import Foundation

/// One line of the answer to an order that takes its time: newline-delimited JSON, the last line of kind `result`.
struct ProgressReport: Codable, Equatable, Sendable {
    /// `event`: something happened; `progress`: how far it is; `result`: it is over.
    var kind: String
    var time: Date
    /// A sentence for people.
    var text: String
    /// What happened, such as `ready` or `exited`.
    var event: String?
    /// `api.0#3`: app, slot, number of the start.
    var instance: String?
    /// The release that is brought.
    var release: UInt32?
    /// Instances that are where they should be, of so many.
    var done: UInt32?
    var total: UInt32?
    /// Whether it succeeded; in the result only.
    var succeeded: Bool?
    /// What the instances that failed wrote last; in a result that is no success.
    var lastLines: [InstanceLinesReport]?

    init(kind: String, text: String) {
        self.kind = kind
        time = Date()
        self.text = text
    }
}

/// Lines of one instance.
struct InstanceLinesReport: Codable, Equatable, Sendable {
    /// `api.0#3`
    var instance: String
    var release: UInt32
    /// Oldest first. As the app wrote them: escape them before they reach a terminal.
    var lines: [String]
}

/// One line of an app's output.
struct LogLineReport: Codable, Equatable, Sendable {
    var instance: String
    /// Time, instance and stream stand before it.
    var line: String
}

/// The body of `POST /v1/apps/NAME/scale`.
struct ScaleOrder: Codable, Equatable, Sendable {
    /// Any number: what cannot be meant is refused in words.
    var instances: Int
}

/// The body of `POST /v1/apps/NAME/deploy`: what changes against the block of the configuration.
struct ReleaseOrder: Codable, Equatable, Sendable {
    /// Program and arguments.
    var command: [String]?
    /// Absolute path.
    var directory: String?
    /// `NAME=VALUE`, on top of the block's.
    var environment: [String]?
    /// Absolute paths, instead of the block's.
    var environmentFiles: [String]?
    /// How long the first new instance serves a slice of the traffic before the rest follows; 10,000 when it is missing.
    var soakMilliseconds: UInt32?
}

// A misspelt key is refused, instead of being left out of what is done.
extension ScaleOrder {
    private enum CodingKeys: String, CodingKey, CaseIterable { case instances }

    init(from decoder: any Decoder) throws {
        instances = try decoder.strictContainer(keyedBy: CodingKeys.self).decode(Int.self, forKey: .instances)
    }
}

extension ReleaseOrder {
    private enum CodingKeys: String, CodingKey, CaseIterable { case command, directory, environment, environmentFiles, soakMilliseconds }

    init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        command = try container.decodeIfPresent([String].self, forKey: .command)
        directory = try container.decodeIfPresent(String.self, forKey: .directory)
        environment = try container.decodeIfPresent([String].self, forKey: .environment)
        environmentFiles = try container.decodeIfPresent([String].self, forKey: .environmentFiles)
        let isSaid = try container.contains(.soakMilliseconds) && !container.decodeNil(forKey: .soakMilliseconds)
        soakMilliseconds = isSaid ? UInt32(try container.wholeNumber(forKey: .soakMilliseconds, upTo: Int(AppRoutes.soakMax))) : nil
    }
}
