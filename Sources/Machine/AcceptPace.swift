/// How many connections a listening socket may give at one time.
///
/// accept(2) on an empty queue is no cheap question: the kernel makes a socket and a file before it looks, and takes both away again. A
/// proxy that is woken for each connection pays that once per connection, if it asks until there is none. So it takes one and lets the
/// event loop, which asks for other reasons anyway, say whether there are more. Where whole bursts come, the number grows until it is
/// seen to be too large; each time it is, growing again takes longer.
package struct AcceptPace: Sendable {
    /// Most connections at one time: others are to be served as well.
    package static let most = 64
    /// Longest row of full turns before more is tried.
    static let patienceMax = 64

    /// Connections that may be taken now: 1 to `most`.
    package private(set) var budget = 1
    /// Turns in a row that took all they might.
    private var fullTurns = 0
    /// Full turns that it takes to grow.
    private var patience = 1
    /// The budget has just grown, and the next turn says whether that was right.
    private var isTrial = false

    package init() {}

    /// As many connections as `budget` allows were taken, and nobody asked whether there are more.
    package mutating func tookAll() {
        if isTrial { patience = 1 }
        isTrial = false
        fullTurns += 1
        guard fullTurns >= patience, budget < Self.most else { return }
        budget = min(budget * 2, Self.most)
        fullTurns = 0
        isTrial = true
    }

    /// The queue was empty after fewer than `budget` connections.
    package mutating func ranDry(after count: Int) {
        if isTrial { patience = min(patience * 2, Self.patienceMax) }
        isTrial = false
        budget = max(1, min(count, budget))
        fullTurns = 0
    }
}
