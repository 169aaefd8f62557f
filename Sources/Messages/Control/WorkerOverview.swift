/// One worker, as `goodgate status` shows it.
package struct WorkerOverview: Equatable, Sendable {
    /// Where it stands.
    package enum State: UInt8, CaseIterable, Sendable {
        case starting, ready, draining, stopping
        /// No process: the next one starts after a pause.
        case resting
    }

    /// 0 while there is no process.
    package var process: Int32
    package var generation: UInt32
    package var index: UInt32
    package var state: State
    /// Milliseconds since its start.
    package var age: UInt64
    /// Open client connections, and requests since its start.
    package var connections: UInt64
    package var requests: UInt64

    package init(
        process: Int32, generation: UInt32, index: UInt32, state: State, age: UInt64, connections: UInt64, requests: UInt64
    ) {
        self.process = process
        self.generation = generation
        self.index = index
        self.state = state
        self.age = age
        self.connections = connections
        self.requests = requests
    }

    /// Most workers in one packet.
    package static let perPacketMax = 500
}

extension WorkerOverview {
    static func write(_ list: [WorkerOverview], to writer: inout PacketWriter) throws(MessageError) {
        guard list.count <= perPacketMax else { throw .tooLarge }
        try writer.count(list.count)
        for worker in list {
            writer.integer(worker.process)
            writer.integer(worker.generation)
            writer.integer(worker.index)
            writer.integer(worker.state.rawValue)
            writer.integer(worker.age)
            writer.integer(worker.connections)
            writer.integer(worker.requests)
        }
    }

    static func read(from reader: inout PacketReader) throws(MessageError) -> [WorkerOverview] {
        var list: [WorkerOverview] = []
        for _ in 0..<(try reader.count(max: perPacketMax, elementBytesMin: 37)) {
            list.append(
                WorkerOverview(
                    process: try reader.integer(), generation: try reader.integer(), index: try reader.integer(),
                    state: try reader.choice(), age: try reader.integer(), connections: try reader.integer(),
                    requests: try reader.integer()))
        }
        return list
    }
}
