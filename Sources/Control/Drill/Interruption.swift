import Dispatch
import Glibc
import Synchronization

/// Lets work undo what it did when somebody wants this program to end: signals cancel it.
///
/// While this object lives, INT, TERM and HUP do nothing else.
final class Interruption {
    private static let signals = [(number: SIGINT, name: "SIGINT"), (number: SIGTERM, name: "SIGTERM"), (number: SIGHUP, name: "SIGHUP")]

    /// The first signal that came.
    private final class Received: Sendable {
        let number = Mutex<Int32?>(nil)
    }

    private let received = Received()
    private var sources: [any DispatchSourceSignal] = []

    /// - Parameter cancel: called from any thread, once per signal.
    init(_ cancel: @escaping @Sendable () -> Void) {
        for (number, _) in Self.signals {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [received] in
                received.number.withLock { $0 = $0 ?? number }
                cancel()
            }
            source.resume()
            sources.append(source)
        }
    }

    /// The signal that came, by its name, and the exit status that says so; nil: none came.
    var cause: (name: String, status: Int32)? {
        guard let number = received.number.withLock({ $0 }) else { return nil }
        return (Self.signals.first { $0.number == number }?.name ?? "signal \(number)", 128 + number)
    }
}
