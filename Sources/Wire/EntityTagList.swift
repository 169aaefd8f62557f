/// Lists of entity tags (`If-Match`, `If-None-Match`).
public enum EntityTagList {
    /// Whether a list holds a tag, or is "*". O(n).
    ///
    /// - Parameters:
    ///   - tag: of the answer, as its ETag field has it; nil if it has none.
    ///   - weak: compare weakly: "W/" does not matter (If-None-Match). Else the tags must be the same, byte for byte
    ///     (If-Match), as in nginx.
    public static func matches(_ list: ByteView, tag: ByteView?, weak: Bool) -> Bool {
        if list == "*" { return true }
        guard var tag, !tag.isEmpty else { return false }
        if weak { tag = withoutWeakness(tag) }
        var index = 0
        while index < list.count {
            let start = index
            skipTag(list, &index)
            var member = list[start..<index]
            while let last = member.last, last == 0x20 || last == 0x09 { member = member.dropLast() }
            if weak { member = withoutWeakness(member) }
            if member == tag { return true }
            while index < list.count, list[index] == 0x20 || list[index] == 0x09 || list[index] == 0x2c { index &+= 1 }
        }
        return false
    }

    /// Moves behind the tag, which may hold commas between its quotes.
    private static func skipTag(_ list: ByteView, _ index: inout Int) {
        var quoted = false
        while index < list.count, quoted || list[index] != 0x2c {
            if list[index] == 0x22 { quoted.toggle() }
            index &+= 1
        }
    }

    private static func withoutWeakness(_ tag: ByteView) -> ByteView {
        tag.count > 2 && tag[0] == 0x57 && tag[1] == 0x2f ? tag.dropFirst(2) : tag
    }
}
