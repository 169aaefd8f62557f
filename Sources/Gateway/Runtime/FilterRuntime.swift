import Config
import Loop
import Wire

/// What the body filters of a location need for each answer. Immortal.
struct FilterRuntime: ~Copyable {
    var gzipTypes = MediaTypeList(.all)
    var charsetTypes = MediaTypeList(.all)
    var ssiTypes = MediaTypeList(.all)
    var subTypes = MediaTypeList(.all)
    var additionTypes = MediaTypeList(.all)
    let deflate: Deflater.Settings
    /// gzip_disable: expressions on User-Agent.
    let gzipDisabledFor: FixedList<Ref<CompiledPattern>>
    let subRules: FixedList<SubRule>
    let before: ByteView
    let after: ByteView

    var hasSub: Bool { !subRules.isEmpty }
    var hasAddition: Bool { !before.isEmpty || !after.isEmpty }

    /// One sub_filter: text to search for in lower case, and what takes its place.
    struct SubRule {
        let match: CompiledText
        let replacement: CompiledText
    }
}

/// Media types that a filter applies to.
struct MediaTypeList {
    let isAll: Bool
    let types: FixedList<ByteView>

    init(_ types: MediaTypes) {
        switch types {
        case .all: (isAll, self.types) = (true, FixedList())
        case .only(let set): (isAll, self.types) = (false, FixedList(set.map { ByteView.immortal($0) }))
        }
    }

    /// Whether an answer of this type, without parameters, is meant. O(types).
    func contains(_ type: ByteView?) -> Bool {
        if isAll { return true }
        guard let type, !type.isEmpty else { return false }
        for index in types.indices where types[index].equalsIgnoringCase(type) { return true }
        return false
    }
}

extension HTTPCompiler {
    mutating func compileFilters(_ location: Ref<Location>) {
        // Bodies of subrequests are recoded to the charset of the main answer, whatever their own location says.
        // gzip_static asks who may get gzip.
        let settings = location.value.settings
        guard location.value.hasBodyFilters || !charsets.isEmpty || settings.value.gzipStatic.mode == .on else { return }
        let gzip = settings.value.gzip
        let rules = settings.value.sub.rules.map { FilterRuntime.SubRule(match: compile($0.match), replacement: compile($0.replacement)) }
        location.value.filters = Ref.immortal(FilterRuntime(
            gzipTypes: MediaTypeList(gzip.types), charsetTypes: MediaTypeList(settings.value.charset.types),
            ssiTypes: MediaTypeList(settings.value.ssi.types), subTypes: MediaTypeList(settings.value.sub.types),
            additionTypes: MediaTypeList(settings.value.addition.types),
            deflate: Deflater.Settings(level: gzip.level, windowBits: gzip.windowBits, memoryLevel: gzip.memoryLevel),
            gzipDisabledFor: FixedList(gzip.disabledFor.map { patterns[$0.index] }), subRules: FixedList(rules),
            before: ByteView.immortal(settings.value.addition.before), after: ByteView.immortal(settings.value.addition.after)))
    }
}
