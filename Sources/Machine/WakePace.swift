/// How parked requests go on when an instance has come: a few at once, more with each answer, all of them soon.
///
/// The accept queue of an application is short (5 in Python's socketserver, 128 to 2,048 elsewhere) and full when hundreds
/// connect in one moment: what does not fit waits a second for the kernel's next SYN. Answers show that the application
/// takes requests; so the number under way doubles with each round of answers until it is a crowd, and a slow application,
/// whose answers cannot set the pace, gets the rest by the clock.
package enum WakePace {
    /// Requests of one worker that go on at once.
    package static let first = 4
    /// Requests under way at a peer from which on an answer lets one go on only. That one takes over the connection: to open and to
    /// close one for each of a thousand costs the three processes more than the requests.
    private static let crowd = 32

    /// Requests that go on with an answer, when so many others are under way at its peer.
    package static func perAnswer(underWay: Int) -> Int { underWay < crowd ? 2 : 1 }

    /// By the clock, `first` requests go on in each interval.
    package static let interval: Milliseconds = 20

    /// When the request at a place in the queue goes on, whatever the others do.
    /// - Parameter place: 1 and up.
    package static func delay(of place: Int) -> Milliseconds { Milliseconds((place + first - 1) / first) * interval }
}
