/// Fields that a `Connection` field names (RFC 9110, 7.6.1).
enum ConnectionOptions {
    /// The most members of all `Connection` fields together. Real ones have one to three; this bounds the work.
    static var membersMax: Int { 64 }

    /// Flags every field that is named by one of the `Connection` fields, but for those a client may not take away from
    /// us. O(members × fields).
    /// - Returns: an error if there are too many members: none may be overlooked, so the head is refused.
    @inline(never)
    static func mark(_ fields: inout FieldTable, _ bytes: ByteView) -> HeadError? {
        var connection = fields.firstIndex(of: .connection)
        var budget = membersMax
        while let index = connection {
            let list = fields[index].value.view(bytes)
            var offset = 0
            while let member = HeaderList.next(list, &offset) {
                guard budget > 0 else { return HeadError(.tooManyFields) }
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
        return nil
    }
}
