/// Handlers for directives that store one value, made from the path of a setting.
enum Setter {
    typealias Path<Value> = any WritableKeyPath<LocationSettings, Value> & Sendable
    typealias HeadPath<Value> = any WritableKeyPath<HeadSettings, Value> & Sendable

    /// `on` or `off`.
    static func flag(_ path: Path<Bool>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try directive.flag()
        }
    }

    static func flag(head path: HeadPath<Bool>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in reader.scope.head[keyPath: path] = try directive.flag() }
    }

    /// A time, stored in milliseconds.
    static func milliseconds(_ path: Path<Milliseconds>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try directive.milliseconds()
        }
    }

    static func milliseconds(head path: HeadPath<Milliseconds>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.head[keyPath: path] = try directive.milliseconds()
        }
    }

    /// A size with `k` or `m`.
    static func size(_ path: Path<ByteCount>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try directive.size()
        }
    }

    static func size(_ path: Path<ByteCount?>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try directive.size()
        }
    }

    static func size(head path: HeadPath<ByteCount>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in reader.scope.head[keyPath: path] = try directive.size() }
    }

    /// A number.
    static func number(_ path: Path<Int>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try directive.number()
        }
    }

    static func number(head path: HeadPath<Int>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in reader.scope.head[keyPath: path] = try directive.number() }
    }

    /// One of the raw values of an enum.
    static func choice<Value>(_ path: Path<Value>) -> DirectiveHandler
    where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try directive.choice()
        }
    }

    /// Number and size of buffers.
    static func buffers(_ count: Path<Int>, _ size: Path<ByteCount>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            (reader.scope.settings[keyPath: count], reader.scope.settings[keyPath: size]) = try directive.buffers()
        }
    }

    /// Media types; `text/html` is always among them.
    static func types(_ path: Path<MediaTypes>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            var types: Set = [Bytes("text/html".utf8)]
            if !reader.scope.isFirst(directive.name) {
                guard case .only(let known) = reader.scope.settings[keyPath: path] else { return }
                types = known
            }
            for word in directive.arguments {
                if word == Bytes("*".utf8) {
                    reader.scope.settings[keyPath: path] = .all
                    return
                }
                let type = Config.lowercased(word)
                if !types.insert(type).inserted {
                    reader.warn("duplicate MIME type \"\(String(decoding: type, as: UTF8.self))\"", directive)
                }
            }
            reader.scope.settings[keyPath: path] = .only(types)
        }
    }

    /// Text with variables.
    static func template(_ path: Path<Template?>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            reader.scope.settings[keyPath: path] = try reader.template(directive[1], at: directive.location)
        }
    }

    /// A size that may have variables.
    static func sizeTemplate(_ path: Path<SizeTemplate>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            let template = try reader.template(directive[1], at: directive.location)
            guard let constant = template.constant else {
                reader.scope.settings[keyPath: path] = .dynamic(template)
                return
            }
            guard let size = ValueParsing.size(constant) else { throw DirectiveError(directive, "invalid value") }
            reader.scope.settings[keyPath: path] = .constant(size)
        }
    }

    /// Adds texts with variables, over those of the parent at the first occurrence.
    static func predicates(_ path: Path<[Template]>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst(directive.name) { reader.scope.settings[keyPath: path] = [] }
            for word in directive.arguments {
                let template = try reader.template(word, at: directive.location)
                reader.scope.settings[keyPath: path].append(template)
            }
        }
    }
}

extension Directive {
    /// The first argument as `on` or `off`.
    func flag(_ index: Int = 1) throws(DirectiveError) -> Bool {
        switch lowercased(words[index]) {
        case Bytes("on".utf8): return true
        case Bytes("off".utf8): return false
        default:
            throw DirectiveError(
                "invalid value \"\(text(index))\" in \"\(name)\" directive, it must be \"on\" or \"off\"")
        }
    }

    func milliseconds(_ index: Int = 1) throws(DirectiveError) -> Milliseconds {
        guard let value = ValueParsing.milliseconds(words[index]) else { throw DirectiveError(self, "invalid value") }
        return value
    }

    func seconds(_ index: Int = 1) throws(DirectiveError) -> Seconds {
        guard let value = ValueParsing.seconds(words[index]) else { throw DirectiveError(self, "invalid value") }
        return value
    }

    /// Sizes without `g` are of memory, sockets and pieces, those with it of files and bodies. Far below where a sum or a product of them
    /// overflows, and an allocation fails.
    /// - Throws: `invalid value`, also of a size in memory over 2048m.
    func size(_ index: Int = 1, allowsGiga: Bool = false) throws(DirectiveError) -> ByteCount {
        guard let value = ValueParsing.size(words[index], allowsGiga: allowsGiga) else {
            throw DirectiveError(self, "invalid value")
        }
        let most = allowsGiga ? Self.fileSizeMax : Self.memorySizeMax
        guard value <= most else { throw DirectiveError(self, "value is too large, the most is \(allowsGiga ? "1048576g" : "2048m")") }
        return value
    }

    static var memorySizeMax: ByteCount { 1 << 31 }
    static var fileSizeMax: ByteCount { 1 << 50 }
    private static var bufferCountMax: Int { 1 << 20 }

    func number(_ index: Int = 1) throws(DirectiveError) -> Int {
        guard let value = ValueParsing.integer(words[index]) else { throw DirectiveError(self, "invalid number") }
        return value
    }

    /// The first argument as a raw value of an enum, ignoring case.
    func choice<Value>(_ index: Int = 1) throws(DirectiveError) -> Value
    where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
        let wanted = lowercased(words[index])
        for value in Value.allCases where Bytes(value.rawValue.lowercased().utf8) == wanted { return value }
        throw DirectiveError(
            "invalid value \"\(text(index))\"",
            suggestion: EditDistance.nearest(to: text(index), in: Value.allCases.map(\.rawValue)))
    }

    /// Number and size of buffers.
    func buffers() throws(DirectiveError) -> (count: Int, size: ByteCount) {
        guard let count = ValueParsing.integer(words[1]), count > 0, let size = ValueParsing.size(words[2]), size > 0
        else { throw DirectiveError(self, "invalid value") }
        guard count <= Self.bufferCountMax, size <= Self.memorySizeMax else {
            throw DirectiveError(self, "value is too large, the most is \(Self.bufferCountMax) 2048m")
        }
        return (count, size)
    }

    /// What stands behind `prefix` in a word, if it begins so.
    func value(_ index: Int, after prefix: String) -> ArraySlice<UInt8>? {
        let word = words[index]
        guard word.starts(with: prefix.utf8) else { return nil }
        return word[prefix.utf8.count...]
    }

    /// Whether a word is exactly this.
    func isWord(_ index: Int, _ text: String) -> Bool { words[index].elementsEqual(text.utf8) }

    /// `invalid parameter "WORD"`.
    func invalidParameter(_ index: Int, known: [String] = []) -> DirectiveError {
        var error = DirectiveError("invalid parameter", quoting: words[index])
        // What is right already is no help.
        error.suggestion = EditDistance.nearest(to: text(index), in: known.filter { $0 != text(index) })
        return error
    }

    /// The same; of a parameter that is known its value is what is invalid.
    func invalidValue(_ index: Int, of known: [String]) -> DirectiveError {
        guard let name = known.first(where: { text(index).hasPrefix($0) }) else { return invalidParameter(index, known: known) }
        return DirectiveError("invalid value of \"\(name.filter { $0 != "=" })\" in", quoting: words[index])
    }
}
