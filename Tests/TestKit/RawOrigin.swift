import Foundation
import Synchronization

/// An upstream that hands each connection to a closure, for tests in which the order of bytes matters more than requests.
public final class RawOrigin: Sendable {
    private let origin: Origin
    public var port: Int { origin.port }
    public var connections: Int { origin.connections }

    /// Listens on a free port. The connection is closed when the closure returns or throws.
    public init(_ serve: @escaping @Sendable (Client) throws -> Void) throws { origin = try Origin(raw: serve) }

    public func stop() { origin.stop() }
}

/// A value that a test and the threads of its origins share.
public final class Box<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    public init(_ value: Value) { storage = Mutex(value) }

    public var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}
