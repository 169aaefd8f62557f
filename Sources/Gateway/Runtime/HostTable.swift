import Loop
import Wire

/// Which server answers for a host name at one listening address: names, then regular expressions in order (nginx: server_name).
struct HostTable {
    let names: NameTable<Ref<VirtualServer>>
    private let regexes: FixedList<(pattern: Ref<CompiledPattern>, server: Ref<VirtualServer>)>
    /// No names at all: the default server answers.
    let isEmpty: Bool

    init(names: NameTable<Ref<VirtualServer>>, regexes: [(pattern: Ref<CompiledPattern>, server: Ref<VirtualServer>)]) {
        self.names = names
        self.regexes = FixedList(regexes)
        isEmpty = names.isEmpty && regexes.isEmpty
    }

    var hasRegexes: Bool { !regexes.isEmpty }

    enum Found { case server(Ref<VirtualServer>), none, undecided }

    /// The first server whose regular expression matches; its captures become the request's. One that cannot be decided
    /// may be the server that was meant, and its rules with it: no other one answers in its place.
    func findRegex(_ host: ByteView, _ request: RequestRef) -> Found {
        for index in regexes.indices {
            switch request.decide(regexes[index].pattern, host) {
            case .match: return .server(regexes[index].server)
            case .noMatch: continue
            case .undecided: return .undecided
            }
        }
        return .none
    }
}
