/// What the drill does to a running goodgate and its app.
enum DrillFault: String, CaseIterable, Codable, Sendable {
    case none = "no fault"
    case killOne = "kill -9 of one instance"
    case killAll = "kill -9 of all instances"
    case hang = "SIGSTOP of one instance"
    case hangKilled = "SIGSTOP, then kill -9"
    case outOfMemory = "out-of-memory kill"
    case bootFailures = "exit on boot, 3 times"
    case slowBoot = "3 s slow boot"
    case portStolen = "port stolen"
    case badRelease = "bad release deployed"
    case failingRelease = "failing release deployed"
    case goodRelease = "good release deployed x 5"
    case rollingRestart = "rolling restart"
    case reload = "configuration reload x 20"
    case workerKilled = "worker kill -9"
    case supervisorKilled = "supervisor kill -9 and restart"
    case upgrade = "binary upgrade"
    case idleCloses = "idle connections closed by the app"
    case acceptQueueFull = "accept queue full"
    case unanswered = "no answer once per 100 requests"

    /// The word for `--only`.
    var word: String { "\(self)".kebab }

    /// Requests that were under way when a worker died were lost with it; nothing else may be.
    var losesRequestsUnderWay: Bool { self == .workerKilled }

    /// How the app's sockets have to be for it: these are about an app that owns its socket.
    var listen: String { self == .portStolen || self == .acceptQueueFull ? "port" : "fd" }

    /// For the short form: each kind of fault once, without the slow ones.
    static let short: [DrillFault] = [.killOne, .killAll, .badRelease, .goodRelease, .reload, .unanswered]
}

extension String {
    /// `killOne` → `kill-one`.
    fileprivate var kebab: String {
        reduce(into: "") { text, character in text += character.isUppercase ? "-" + character.lowercased() : String(character) }
    }
}
