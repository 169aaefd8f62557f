import Loop
import Pattern
import Wire

/// Regular expressions of SSI commands, compiled. They stand in bodies, and may hold what a client has sent: the number is bounded, and the
/// one that was not used for longest makes room.
struct SSIPatterns {
    private struct Entry {
        let text: Ref<Buffer>
        let pattern: Pattern
    }

    static let countMax = 128
    /// The last is the one used last.
    private var entries: [Entry] = []

    /// - Returns: nil if it does not compile. It is valid until the next call.
    mutating func pattern(_ text: ByteView) -> Pattern? {
        if let index = entries.lastIndex(where: { $0.text.view == text }) {
            let known = entries.remove(at: index)
            entries.append(known)
            return known.pattern
        }
        let own = Ref<Buffer>.immortal(Buffer(capacity: text.count + 1))
        own.append(text)
        guard let pattern = try? Pattern(own.view, options: []) else {
            own.destroy()
            return nil
        }
        if entries.count == Self.countMax {
            let oldest = entries.removeFirst()
            oldest.pattern.destroy()
            oldest.text.destroy()
        }
        entries.append(Entry(text: own, pattern: pattern))
        return pattern
    }
}
