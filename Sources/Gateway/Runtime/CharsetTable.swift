import Config
import Loop
import Wire

/// How bytes of one charset become bytes of another.
enum Recoding {
    /// Byte for byte: 256 entries.
    case bytes(FixedList<UInt8>)
    /// A byte becomes one character of UTF-8: 256 entries.
    case toUTF8(FixedList<ByteView>)
    /// Characters of UTF-8 that have a byte, by code point in ascending order.
    case fromUTF8(FixedList<(scalar: UInt32, byte: UInt8)>)

    /// The body keeps its length.
    var keepsLength: Bool {
        if case .bytes = self { return true }
        return false
    }
}

/// All charsets that a configuration names, and the ways between them. Immortal.
struct CharsetTable {
    struct Entry {
        let source: ByteView
        let target: ByteView
        let recoding: Recoding
    }

    let names: FixedList<ByteView>
    let recodings: FixedList<Entry>

    init(names: [ByteView], recodings: [Entry]) {
        self.names = FixedList(names)
        self.recodings = FixedList(recodings)
    }

    var isEmpty: Bool { names.isEmpty }

    func isKnown(_ name: ByteView) -> Bool {
        for index in names.indices where names[index].equalsIgnoringCase(name) { return true }
        return false
    }

    func recoding(from source: ByteView, to target: ByteView) -> Recoding? {
        for index in recodings.indices
        where recodings[index].source.equalsIgnoringCase(source) && recodings[index].target.equalsIgnoringCase(target) {
            return recodings[index].recoding
        }
        return nil
    }
}

extension HTTPCompiler {
    /// Collects the charsets of charset_map, charset and source_charset.
    mutating func compileCharsets() {
        guard let http = configuration.value.http else { return }
        var names: [ByteView] = []
        func add(_ name: ByteView) {
            if !names.contains(where: { $0.equalsIgnoringCase(name) }) { names.append(name) }
        }
        var entries: [CharsetTable.Entry] = []
        for map in http.charsetMaps {
            let source = ByteView.immortal(Array(map.source.utf8))
            let target = ByteView.immortal(Array(map.target.utf8))
            add(source)
            add(target)
            let isUTF8 = target.equalsIgnoringCase("utf-8")
            let forward: Recoding = isUTF8
                ? .toUTF8(FixedList(map.toTarget.map { ByteView.immortal($0) }))
                : .bytes(FixedList(map.toTarget.map { $0.first ?? 0x3f }))
            entries.append(CharsetTable.Entry(source: source, target: target, recoding: forward))
            entries.append(CharsetTable.Entry(source: target, target: source, recoding: isUTF8 ? fromUTF8(map) : backward(map)))
        }
        for location in http.locations {
            if case .constant(let name) = location.charset.charset { add(ByteView.immortal(name)) }
            if case .constant(let name) = location.charset.source { add(ByteView.immortal(name)) }
        }
        charsets = CharsetTable(names: names, recodings: entries)
    }

    private func backward(_ map: CharsetMap) -> Recoding {
        var table: [UInt8] = (0..<256).map { $0 < 128 ? UInt8($0) : 0x3f }
        for (form, byte) in map.toSource where form.count == 1 { table[Int(form[0])] = byte }
        return .bytes(FixedList(table))
    }

    private func fromUTF8(_ map: CharsetMap) -> Recoding {
        var entries: [(scalar: UInt32, byte: UInt8)] = []
        for (form, byte) in map.toSource {
            if let scalar = String(decoding: form, as: UTF8.self).unicodeScalars.first, scalar.value >= 128 { entries.append((scalar.value, byte)) }
        }
        entries.sort { $0.scalar < $1.scalar }
        return .fromUTF8(FixedList(entries))
    }
}
