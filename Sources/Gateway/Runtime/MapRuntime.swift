import Config
import Loop
import Wire

/// A map, compiled. Immortal.
struct MapRuntime {
    let source: CompiledText
    /// A dot at the end of the text is ignored.
    let isHostNames: Bool
    let names: NameTable<CompiledText>
    /// In the order of the file.
    let patterns: FixedList<(pattern: Ref<CompiledPattern>, value: CompiledText)>
    let defaultValue: CompiledText
}

/// A geo, compiled. Immortal.
struct GeoRuntime {
    let settings: Ref<GeoSettings>
    let values: FixedList<ByteView>
}

extension HTTPCompiler {
    func compile(_ map: MapSettings) -> Ref<MapRuntime> {
        // Without `hostnames` wildcards mean nothing.
        let names = map.isHostNames
            ? NameTable(map.keys) { compile($0) } : NameTable(exact: map.exact.map { (key: $0.key, value: compile($0.value)) })
        return Ref.immortal(MapRuntime(
            source: compile(map.source), isHostNames: map.isHostNames, names: names,
            patterns: FixedList(map.patterns.map { (pattern: patterns[$0.pattern.index], value: compile($0.value)) }),
            defaultValue: compile(map.defaultValue)))
    }

    func compile(_ geo: GeoSettings) -> Ref<GeoRuntime> {
        Ref.immortal(GeoRuntime(settings: Ref.immortal(geo), values: FixedList(geo.values.map { ByteView.immortal($0) })))
    }
}
