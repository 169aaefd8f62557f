import Config
import Glibc
import Loop
import Machine
import Wire

// Small answers are held back until they are whole: while nothing has gone to the client, an attempt that breaks between head and body may
// be repeated like one that breaks before its head (decision 0015).
extension Ref where Value == Exchange {
    /// The longest time a head waits for its body, in milliseconds: more than a delayed acknowledgement (40 ms), which is what keeps
    /// the second write of a server without TCP_NODELAY back.
    private static var holdTime: UInt64 { 100 }

    /// Whether to wait for the body before the head is passed on: it is not here yet, its length is known and fits behind the head, the
    /// answer may be buffered, and the request could be repeated.
    func holdsAnswer(_ input: Ref<Buffer>) -> Bool {
        guard value.framing == .length, Int64(input.count) < value.remaining, let connection = value.connection else { return false }
        // One byte more than the body, so that a read that takes all says that the socket is empty.
        guard value.remaining - Int64(input.count) < Int64(input.room), mayBuffer(input) else { return false }
        guard value.isRequestSent, !value.isSendBroken, isRepeatable else { return false }
        value.state = .holding
        connection.setTimer(after: min(Self.holdTime, proxy.value.readTimeout))
        if connection.value.isReadable { readHeld() }
        return true
    }

    /// Whether the request could be sent again, to another peer or to one that an app brings.
    private var isRepeatable: Bool {
        if case .tryNext = decide(.error) { return true }
        guard upstream.value.parking.settings.followsOutlook, case .tryNext = decide(.error, asIfAnotherPeer: true) else { return false }
        return true
    }

    private func mayBuffer(_ input: Ref<Buffer>) -> Bool {
        guard proxy.value.isBuffering, request.isMain else { return false }
        guard request.evaluate(request.location.value.settings.value.proxy.limitRate) == 0 else { return false }
        guard !proxy.value.ignored.contains(.accelBuffering), let word = value.fields.value(.xAccelBuffering, input.whole) else {
            return true
        }
        return !word.equalsIgnoringCase("no")
    }

    /// Reads on until the body is whole; then the answer goes on as if it had come at once.
    func readHeld() {
        guard let connection = value.connection, let input = value.input else { return }
        while Int64(input.count) < value.remaining {
            let room = input.room
            let n = input.receive(from: connection.value.descriptor)
            if n == Socket.wouldBlock { return connection.value.isReadable = false }
            if n <= 0 {
                connection.value.isReadable = false
                let failure = n == 0
                    ? ExchangeFailure(kind: .error, level: .error, message: "upstream prematurely closed connection")
                    : ExchangeFailure(kind: .error, level: .error, message: "recv() failed", errno: Int32(-n))
                return failed(failure, phase: "reading upstream")
            }
            withStat { $0.bytesReceived += Int64(n) }
            if n < room, !connection.value.isPeerClosed {
                connection.value.isReadable = false
                if Int64(input.count) < value.remaining { return }
            }
        }
        passAnswerOn()
    }
}
