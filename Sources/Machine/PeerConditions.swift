/// Number of peers by condition.
package struct PeerConditions: BitwiseCopyable, Sendable {
    private var counts = InlineArray<6, Int>(repeating: 0)

    /// How many are in a condition.
    package subscript(condition: PeerCondition) -> Int {
        get { counts[condition.rawValue] }
        set { counts[condition.rawValue] = newValue }
    }
}
