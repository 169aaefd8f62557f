/// Fields that a `Connection` field names (RFC 9110, 7.6.1).
enum ConnectionOptions {
    /// Flags every field that is named by one of the `Connection` fields, but for those a client may not take away from
    /// us. O(members × fields); both are bounded by the limits of the head.
    @inline(never)
    static func mark(_ fields: inout FieldTable, _ bytes: ByteView) {
        var connection = fields.firstIndex(of: .connection)
        // More members than fields cannot all be names of fields that are there; this bounds the work.
        var budget = 64
        while let index = connection {
            let list = fields[index].value.view(bytes)
            var offset = 0
            while budget > 0, let member = HeaderList.next(list, &offset) {
                budget -= 1
                let hash = FieldHash.hash(member)
                var at = fields.firstIndex(named: member, hash: hash, bytes)
                while let found = at {
                    if !fields[found].token.isProtectedFromConnection { fields[found].flags.insert(.hopByHop) }
                    at = fields.firstIndex(named: member, hash: hash, bytes, from: found + 1)
                }
            }
            connection = fields.firstIndex(of: .connection, from: index + 1)
        }
    }
}
