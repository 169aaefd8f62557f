internal import CLinux
internal import Glibc

/// The process's signals as events of a descriptor.
struct SignalSource {
    let descriptor: Descriptor

    /// A signal, and who sent it (0: the kernel).
    struct Received {
        var number: Int32
        var sender: Int32
    }

    init() throws(SystemError) {
        let signals: [Int32] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD, SIGALRM, SIGIO]
        // SAFETY: the array lives during the call, and its length is told.
        descriptor = Descriptor(owning: try System.check(unsafe cs_signal_descriptor(signals, Int32(signals.count))))
    }

    /// The next signal, nil when there is none.
    func next() -> Received? {
        var number: Int32 = 0
        var sender: Int32 = 0
        // SAFETY: two numbers, which live during the call.
        guard unsafe cs_read_signal(descriptor.number, &number, &sender) == 1 else { return nil }
        return Received(number: number, sender: sender)
    }

    /// Name of a signal, as nginx's log has it.
    static func name(of number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGQUIT: "SIGQUIT"
        case SIGHUP: "SIGHUP"
        case SIGUSR1: "SIGUSR1"
        case SIGUSR2: "SIGUSR2"
        case SIGWINCH: "SIGWINCH"
        case SIGCHLD: "SIGCHLD"
        case SIGALRM: "SIGALRM"
        default: "SIGIO"
        }
    }

    /// What a signal means to the supervisor, and what the log says of it.
    static func meaning(of number: Int32, isDaemon: Bool, ignoresUpgrade: Bool) -> (signal: SupervisorSignal, words: String)? {
        switch number {
        case SIGTERM: (.terminate, ", exiting")
        case SIGINT: (.interrupt, ", exiting")
        case SIGQUIT: (.quit, ", shutting down")
        case SIGHUP: (.reload, ", reconfiguring")
        case SIGUSR1: (.reopen, ", reopening logs")
        case SIGUSR2: (.changeBinary, ignoresUpgrade ? ", ignoring" : ", changing binary")
        case SIGWINCH: (.stopAccepting, isDaemon ? ", stop accepting connections" : "")
        default: nil
        }
    }
}
