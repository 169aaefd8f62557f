/// How busy a worker is, sent on change of its life cycle only (the board has the live figures).
package struct WorkerStatistics: Equatable, Sendable {
    /// Open client connections, of these idle ones.
    package var connections: UInt32
    package var idleConnections: UInt32
    /// Requests in flight.
    package var requests: UInt32

    package init(connections: UInt32, idleConnections: UInt32, requests: UInt32) {
        self.connections = connections
        self.idleConnections = idleConnections
        self.requests = requests
    }
}
