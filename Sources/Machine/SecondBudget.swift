/// At most so many things in each second; what is over that is not done.
package struct SecondBudget: Sendable {
    /// Things per second.
    package let max: Int
    private var second = Int64.min
    private var spent = 0

    package init(max: Int) { self.max = max }

    /// Whether one more may be done now. O(1).
    package mutating func take(now: Milliseconds) -> Bool {
        if now / 1_000 != second {
            second = now / 1_000
            spent = 0
        }
        guard spent < max else { return false }
        spent += 1
        return true
    }
}
