/// An instance of an app that the worker which runs the health checks is to check.
package struct InstanceCheck: Equatable, Sendable {
    /// What is known of it so far.
    package enum State: UInt8, Sendable { case unproven, healthy, unhealthy }

    /// Which spawn of which app.
    package var instance: InstanceName
    /// Address as text, in the form of a listen key: `127.0.0.1:3000`, `unix:/path`.
    package var address: String
    /// Where its check begins: a new worker goes on from what the one before found out.
    package var state: State
    /// How it is checked. Its release's own: the block in the worker's configuration may be one that was refused.
    package var settings: Settings

    /// `health` of an app.
    package struct Settings: Hashable, Sendable {
        /// Path and query to ask for.
        package var uri: String
        /// Milliseconds between two checks, and for a whole one.
        package var interval, timeout: UInt64
        /// Good answers in a row until it is healthy, bad ones until it is not.
        package var passes, fails: UInt32
        /// Name of the `match` block that judges an answer; nil: the status alone.
        package var match: String?

        package init(uri: String, interval: UInt64, timeout: UInt64, passes: UInt32, fails: UInt32, match: String? = nil) {
            self.uri = uri
            self.interval = interval
            self.timeout = timeout
            self.passes = passes
            self.fails = fails
            self.match = match
        }
    }

    package init(instance: InstanceName, address: String, state: State, settings: Settings) {
        self.instance = instance
        self.address = address
        self.state = state
        self.settings = settings
    }
}

/// One spawn of one instance of an app.
package struct InstanceName: Hashable, Sendable {
    /// Name of the app.
    package var app: String
    /// Position of the instance in its app.
    package var slot: UInt16
    /// Number of the spawn: never used twice in the life of an app.
    package var serial: UInt32

    package init(app: String, slot: UInt16, serial: UInt32) {
        self.app = app
        self.slot = slot
        self.serial = serial
    }
}

/// The check of an instance passed, or failed, as often as it must.
package struct InstanceHealth: Equatable, Sendable {
    /// Which spawn of which app.
    package var instance: InstanceName
    /// Whether it passes.
    package var isHealthy: Bool
    /// If it does not: it did not even answer in time.
    package var isSilent: Bool
    /// Term of the worker that checks: the supervisor hears only the one that it named last.
    package var term: UInt32

    package init(instance: InstanceName, isHealthy: Bool, isSilent: Bool = false, term: UInt32) {
        self.instance = instance
        self.isHealthy = isHealthy
        self.isSilent = isSilent
        self.term = term
    }
}

/// What the check of an instance that has never passed saw last.
package struct CheckComplaint: Equatable, Sendable {
    /// Which spawn of which app.
    package var instance: InstanceName
    /// Why it failed.
    package var text: String
    /// As in `InstanceHealth`.
    package var term: UInt32

    package init(instance: InstanceName, text: String, term: UInt32) {
        self.instance = instance
        self.text = text
        self.term = term
    }
}

extension InstanceName {
    func write(to writer: inout PacketWriter) {
        writer.text(app)
        writer.integer(slot)
        writer.integer(serial)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        app = try reader.text()
        slot = try reader.integer()
        serial = try reader.integer()
    }
}

extension InstanceCheck {
    func write(to writer: inout PacketWriter) {
        instance.write(to: &writer)
        writer.text(address)
        writer.integer(state.rawValue)
        writer.text(settings.uri)
        writer.integer(settings.interval)
        writer.integer(settings.timeout)
        writer.integer(settings.passes)
        writer.integer(settings.fails)
        writer.optionalText(settings.match)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        instance = try InstanceName(from: &reader)
        address = try reader.text()
        state = try reader.choice()
        settings = Settings(
            uri: try reader.text(), interval: try reader.integer(), timeout: try reader.integer(), passes: try reader.integer(),
            fails: try reader.integer(), match: try reader.optionalText())
    }
}

extension CheckComplaint {
    func write(to writer: inout PacketWriter) {
        instance.write(to: &writer)
        writer.text(text)
        writer.integer(term)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        instance = try InstanceName(from: &reader)
        text = try reader.text()
        term = try reader.integer()
    }
}

extension InstanceHealth {
    func write(to writer: inout PacketWriter) {
        instance.write(to: &writer)
        writer.flag(isHealthy)
        writer.flag(isSilent)
        writer.integer(term)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        instance = try InstanceName(from: &reader)
        isHealthy = try reader.flag()
        isSilent = try reader.flag()
        term = try reader.integer()
    }
}
