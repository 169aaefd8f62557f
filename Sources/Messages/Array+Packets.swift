extension Array {
    /// The list in parts that fit into a packet each, in its order. An element that is larger stands alone.
    /// - Parameters:
    ///   - most: Elements of one part.
    ///   - bytes: Room for the elements of one part.
    ///   - size: Upper bound of an element's size in a packet.
    package func packets(
        most: Int, bytes: Int = MessageLimits.listBytesMax, size: (Element) -> Int = { _ in 0 }
    ) -> [[Element]] {
        var parts: [[Element]] = []
        var first = startIndex
        var used = 0
        for (index, element) in enumerated() {
            let more = size(element)
            if index > first, index - first == most || used + more > bytes {
                parts.append(Array(self[first..<index]))
                (first, used) = (index, 0)
            }
            used += more
        }
        return isEmpty ? parts : parts + [Array(self[first...])]
    }
}
