import Config
import Loop
import Wire

/// What a location's files are looked up with: root or alias, index, try_files, types. Immortal.
struct FileRuntime: ~Copyable {
    struct Candidate {
        let path: CompiledText
        /// A directory is looked for.
        let isDirectory: Bool
    }

    let root: CompiledText
    /// A root with variables at its start may turn out to be relative.
    let rootMayBeRelative: Bool
    /// Bytes of the path that root stands for: 0 with `root`; nil for `alias` in a location given by an expression: all.
    let replacedPrefixLength: Int?
    let index: FixedList<CompiledText>
    let candidates: FixedList<Candidate>
    let links: File.LinkPolicy
    /// Start of a path whose links are not checked.
    let trustedPath: CompiledText?
    let types: ByteTable<ByteView>
    let defaultType: ByteView
    let hasETag: Bool
    let logsNotFound: Bool
}

extension HTTPCompiler {
    mutating func compileFiles(_ location: Ref<Location>) {
        let core = location.value.settings.value.core
        let links: File.LinkPolicy
        switch core.disableSymlinks {
        case .off: links = .follow
        case .on: links = .refuse
        case .ifNotOwner: links = .sameOwner
        }
        let startsWithLiteral = if case .literal(let bytes)? = core.root.parts.first { bytes.first == 0x2f } else { false }
        location.value.files = Ref.immortal(FileRuntime(
            root: compile(core.root), rootMayBeRelative: !startsWithLiteral,
            replacedPrefixLength: core.isAlias ? core.aliasedPrefixLength : 0, index: FixedList(core.index.map { compile($0) }),
            candidates: FixedList((core.tryFiles?.candidates ?? []).map { FileRuntime.Candidate(path: compile($0.path), isDirectory: $0.isDirectory) }),
            links: links, trustedPath: core.disableSymlinksFrom.map { compile($0) }, types: typeTable(core.types),
            defaultType: ByteView.immortal(core.defaultType), hasETag: core.hasETag, logsNotFound: core.logsNotFound))
    }

    /// Locations mostly inherit their types: one table for all with the same.
    private mutating func typeTable(_ types: [Bytes: Bytes]) -> ByteTable<ByteView> {
        for made in typeTables where made.types == types { return made.table }
        let table = ByteTable(types.map { (key: $0.key, value: ByteView.immortal($0.value)) })
        typeTables.append((types, table))
        return table
    }
}
