/// Values by host name, exact and with wildcards, as nginx's wildcard hash: for `server_name` and `map … hostnames`.
package struct HostNameTable<Value: Sendable>: Sendable {
    /// Lower-case names.
    package private(set) var exact: [Bytes: Value] = [:]
    /// `*.example.com` as `example.com`: matches names that end in `.` + key. `.example.com` is here and in `exact`.
    package private(set) var leading: [Bytes: Value] = [:]
    /// `www.example.*` as `www.example`: matches names that begin with key + `.`.
    package private(set) var trailing: [Bytes: Value] = [:]

    package init() {}

    /// What became of a name.
    package enum Insertion: Hashable, Sendable {
        case added
        /// The name is neither a host name nor a wildcard.
        case invalid
        /// The name has a value already, which stays.
        case conflict
    }

    /// Adds a name: `a.b`, `*.a.b`, `.a.b`, `a.b.*`. ASCII case is ignored.
    package mutating func add(_ name: Bytes, _ value: Value) -> Insertion {
        let name = lowercased(name)
        let stars = name.count { $0 == UInt8(ascii: "*") }
        for index in name.indices.dropLast() where name[index] == 0x2E && name[index + 1] == 0x2E { return .invalid }
        if name.contains(0) || stars > 1 { return .invalid }
        if name.count > 1, name[0] == UInt8(ascii: ".") {
            let rest = Bytes(name.dropFirst())
            guard stars == 0 else { return .invalid }
            if exact[rest] != nil || leading[rest] != nil { return .conflict }
            exact[rest] = value
            leading[rest] = value
            return .added
        }
        guard stars == 1 else { return Self.insert(name, value, &exact) }
        if name.count > 2, name[0] == UInt8(ascii: "*"), name[1] == UInt8(ascii: ".") {
            return Self.insert(Bytes(name.dropFirst(2)), value, &leading)
        }
        if name.count > 2, name.last == UInt8(ascii: "*"), name[name.count - 2] == UInt8(ascii: ".") {
            return Self.insert(Bytes(name.dropLast(2)), value, &trailing)
        }
        return .invalid
    }

    private static func insert(_ key: Bytes, _ value: Value, _ table: inout [Bytes: Value]) -> Insertion {
        if table[key] != nil { return .conflict }
        table[key] = value
        return .added
    }

    /// The value of a lower-case name: exact, then the longest leading, then the longest trailing wildcard. O(labels).
    package func find(_ name: Bytes) -> Value? {
        if let value = exact[name] { return value }
        if !leading.isEmpty {
            for index in name.indices where name[index] == UInt8(ascii: ".") && index > 0 {
                if let value = leading[Bytes(name[(index + 1)...])] { return value }
            }
        }
        if !trailing.isEmpty {
            for index in name.indices.reversed() where name[index] == UInt8(ascii: ".") {
                if let value = trailing[Bytes(name[..<index])] { return value }
            }
        }
        return nil
    }
}
