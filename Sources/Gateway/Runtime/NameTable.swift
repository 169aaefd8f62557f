import Config
import Loop
import Wire

/// Values by host name: exact names, then the longest leading wildcard, then the longest trailing one (nginx: a hash with wildcards).
struct NameTable<Value> {
    private let exact: ByteTable<Value>
    private let leading: ByteTable<Value>
    private let trailing: ByteTable<Value>

    init<Source>(_ names: HostNameTable<Source>, _ value: (Source) -> Value) {
        exact = ByteTable(names.exact.map { (key: $0.key, value: value($0.value)) })
        leading = ByteTable(names.leading.map { (key: $0.key, value: value($0.value)) })
        trailing = ByteTable(names.trailing.map { (key: $0.key, value: value($0.value)) })
    }

    /// Exact names only.
    init(exact names: some Collection<(key: [UInt8], value: Value)>) {
        exact = ByteTable(names)
        leading = ByteTable([])
        trailing = ByteTable([])
    }

    var isEmpty: Bool { exact.isEmpty && leading.isEmpty && trailing.isEmpty }

    /// - Parameter host: without port. O(labels × length).
    func find(_ host: ByteView) -> Value? {
        if let value = exact.find(host) { return value }
        if !leading.isEmpty {
            var start = 0
            while let dot = host.firstIndex(of: 0x2e, from: start) {
                if let value = leading.find(host[(dot + 1)..<host.count]) { return value }
                start = dot + 1
            }
        }
        if !trailing.isEmpty {
            var end = host.count
            while let dot = host[0..<end].lastIndex(of: 0x2e) {
                if let value = trailing.find(host[0..<dot]) { return value }
                end = dot
            }
        }
        return nil
    }
}
