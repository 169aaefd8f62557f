internal import Config
internal import CLinux

/// One listening address and its sockets: one, or with `reuseport` one for each worker.
final class Listener {
    let key: String
    let address: NetworkAddress
    var sockets: [Descriptor]
    /// Whether the sockets came from an old binary.
    var isInherited: Bool

    init(key: String, address: NetworkAddress, sockets: [Descriptor], isInherited: Bool) {
        self.key = key
        self.address = address
        self.sockets = sockets
        self.isInherited = isInherited
    }

    /// Path of a Unix-domain socket.
    var socketPath: String? {
        guard case .unix(let path) = address else { return nil }
        return String(decoding: path, as: UTF8.self)
    }
}

/// The listening sockets of one configuration.
struct ListenerTable {
    private(set) var listeners: [Listener] = []
    private var index: [String: Int] = [:]

    subscript(key: String) -> Listener? { index[key].map { listeners[$0] } }

    mutating func add(_ listener: Listener) {
        index[listener.key] = listeners.count
        listeners.append(listener)
    }

    /// With the listeners of another table whose addresses this one has not.
    func adding(_ other: ListenerTable) -> ListenerTable {
        var result = self
        for listener in other.listeners where self[listener.key] == nil { result.add(listener) }
        return result
    }

    /// All descriptors, in order.
    var descriptors: [Int32] { listeners.flatMap { $0.sockets.map(\.number) } }

    /// Removes the files of Unix-domain sockets that are not in another table.
    func removeSocketFiles(except kept: ListenerTable, log: ErrorLog, tells: Bool) {
        for listener in listeners where kept[listener.key] == nil {
            guard let path = listener.socketPath else { continue }
            if tells { log.write(.warning, "deleting socket \(path)") }
            do throws(SystemError) {
                try System.remove(path)
            } catch {
                log.write(.emergency, "unlink() \(path) failed", error)
            }
        }
    }
}

/// Something could not be prepared; the reason is in the error log already.
struct PreparationError: Error {}
