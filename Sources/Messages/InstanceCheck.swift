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

    package init(instance: InstanceName, address: String, state: State) {
        self.instance = instance
        self.address = address
        self.state = state
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
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        instance = try InstanceName(from: &reader)
        address = try reader.text()
        state = try reader.choice()
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
