internal import CLinux

extension System {
    /// User and primary group of a name.
    static func user(named name: String) -> (user: UInt32, group: UInt32)? {
        var found = cs_user()
        guard unsafe cs_find_user(name, &found) == 1 else { return nil }
        return (found.user, found.group)
    }

    static func group(named name: String) -> UInt32? {
        var found: UInt32 = 0
        guard unsafe cs_find_group(name, &found) == 1 else { return nil }
        return found
    }

    /// All groups of a user, the given one included.
    static func groups(ofUser name: String, group: UInt32) -> [UInt32] {
        var list = [UInt32](repeating: 0, count: 512)
        let capacity = Int32(list.count)
        // SAFETY: at most `capacity` numbers are written.
        let count = unsafe cs_groups_of_user(name, group, &list, capacity)
        return Array(list.prefix(Int(count)))
    }
}
