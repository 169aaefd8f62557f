import Config
import Loop
import Wire

/// valid_referers of a location, compiled. Immortal.
struct RefererRuntime: ~Copyable {
    struct Name {
        let kind: RefererSettings.Name.Kind
        /// Lower case, without wildcard.
        let name: ByteView
        /// What the path must begin with; empty: anything.
        let uri: ByteView
    }

    let names: FixedList<Name>
    /// Matched against the text after the scheme.
    let patterns: FixedList<Ref<CompiledPattern>>
    /// Matched against the host name.
    let serverPatterns: FixedList<Ref<CompiledPattern>>
    let allowsNone: Bool
    let allowsBlocked: Bool

    /// The name that a host has: exact before the longest wildcard at the front before the longest at the end. O(names).
    func find(_ host: ByteView) -> Name? {
        var best: Name?
        for index in names.indices where names[index].matches(host) {
            let name = names[index]
            guard let previous = best else {
                best = name
                continue
            }
            let (rank, other) = (name.rank(host), previous.rank(host))
            if rank < other || rank == other && name.name.count > previous.name.count { best = name }
        }
        return best
    }
}

extension RefererRuntime.Name {
    func matches(_ host: ByteView) -> Bool {
        switch kind {
        case .exact: host == name
        case .leadingWildcard: host.count > name.count + 1 && host.hasSuffix(name) && host[host.count - name.count - 1] == 0x2e
        case .suffix: host == name || host.count > name.count + 1 && host.hasSuffix(name) && host[host.count - name.count - 1] == 0x2e
        case .trailingWildcard: host.count > name.count + 1 && host.hasPrefix(name) && host[name.count] == 0x2e
        }
    }

    /// 0 is looked for first.
    func rank(_ host: ByteView) -> Int {
        switch kind {
        case .exact: 0
        case .suffix: host.count == name.count ? 0 : 1
        case .leadingWildcard: 1
        case .trailingWildcard: 2
        }
    }
}

extension HTTPCompiler {
    func compileReferers(_ location: Ref<Location>) {
        let settings = location.value.settings.value.referer
        guard let names = settings.names, !(names.isEmpty && settings.patterns.isEmpty && settings.serverPatterns.isEmpty) else { return }
        location.value.referers = Ref.immortal(RefererRuntime(
            names: FixedList(names.map {
                RefererRuntime.Name(kind: $0.kind, name: ByteView.immortal($0.name), uri: ByteView.immortal($0.uri))
            }),
            patterns: FixedList(settings.patterns.map { patterns[$0.index] }),
            serverPatterns: FixedList(settings.serverPatterns.map { patterns[$0.index] }), allowsNone: settings.allowsNone,
            allowsBlocked: settings.allowsBlocked))
    }
}
