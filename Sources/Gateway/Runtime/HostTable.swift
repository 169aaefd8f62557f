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

    /// The first server whose regular expression matches; its captures become the request's.
    func findRegex(_ host: ByteView, _ request: RequestRef) -> Ref<VirtualServer>? {
        for index in regexes.indices where request.match(regexes[index].pattern, host) { return regexes[index].server }
        return nil
    }
}
