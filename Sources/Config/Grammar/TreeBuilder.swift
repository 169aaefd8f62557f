/// Reads the main file and everything that it includes into a tree of directives.
///
/// Errors are collected; reading goes on at the next statement.
struct TreeBuilder {
    /// Depth of blocks within each other, over all includes.
    static let blockDepthMax = 100
    /// Depth of includes within each other.
    static let includeDepthMax = 32
    /// Files read, counting a file again each time that it is included.
    static let includeCountMax = 20_000

    /// Directory of the main file, with `/` at its end.
    let directory: String
    private let source: any ConfigurationSource
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var bundle: ConfigurationBundle
    /// Files whose braces do not match: where their statements stand is not certain.
    private(set) var unbalanced: Set<String> = []
    /// What is missed elsewhere may have stood in a statement that could not be read.
    private(set) var hasLostStatements = false
    private var includeCount = 0
    private var cache: [String: Bytes] = [:]

    init(request: ConfigurationRequest, directory: String, source: any ConfigurationSource) {
        self.directory = directory
        self.source = source
        bundle = ConfigurationBundle(request: request)
        bundle.facts = source.facts
    }

    /// The directives of `-g`.
    mutating func read(globals: String) -> [Directive] {
        var lexer = Lexer(Bytes(globals.utf8))
        var directives: [Directive] = []
        let location = SourceLocation(file: "command line", line: 0)
        while true {
            do throws(Lexer.Failure) {
                switch try lexer.next() {
                case .simple(let words): directives.append(directive(words, at: location))
                case .blockStart:
                    report("block directives are not supported in -g option", at: location)
                    return directives
                case .blockEnd:
                    report("unexpected \"}\"", at: location)
                    return directives
                case .end: return directives
                }
            } catch {
                report(
                    error.isAtEnd ? "unexpected end of parameter, expecting \";\"" : error.message, at: location)
                return directives
            }
        }
    }

    /// The directives of a file.
    /// - Parameter includedFrom: where the `include` stands; nil for the main file.
    mutating func read(path: String, includedFrom: SourceLocation?) -> [Directive] {
        guard let bytes = load(path: path, includedFrom: includedFrom) else { return [] }
        var reader = FileReader(path: path, bytes: bytes)
        return parse(&reader, includeDepth: 0, blockDepth: 0)
    }

    private func directive(_ words: [Bytes], at location: SourceLocation) -> Directive {
        Directive(name: String(decoding: words[0], as: UTF8.self), words: words, location: location)
    }

    private mutating func report(_ message: String, at location: SourceLocation?, directive: String? = nil) {
        diagnostics.append(Diagnostic(.emergency, message, at: location, directive: directive))
    }

    private mutating func load(path: String, includedFrom: SourceLocation?) -> Bytes? {
        if let known = cache[path] { return known }
        if bundle.failures[path] == nil {
            do throws(ConfigurationReadError) {
                let bytes = try source.read(path: path)
                cache[path] = bytes
                bundle.files.append(ConfigurationFile(path: path, bytes: bytes))
                return bytes
            } catch {
                bundle.failures[path] = error
            }
        }
        if let error = bundle.failures[path] {
            let failure = "open() \"\(path)\" failed (\(error.code): \(error.text))"
            report(error.code == 0 ? "\"\(path)\" \(error.text)" : failure, at: includedFrom, directive: "include")
        }
        return nil
    }
}

extension TreeBuilder {
    /// A file that is being read, with the blocks that are open in it.
    private struct FileReader {
        let path: String
        var lexer: Lexer
        /// The statements of the file and of each open block.
        var levels: [[Directive]] = [[]]
        /// The directives whose blocks are open.
        var open: [Directive] = []
        /// The grammar was violated.
        var hasMistakes = false

        init(path: String, bytes: Bytes) {
            self.path = path
            lexer = Lexer(bytes)
        }

        var location: SourceLocation { SourceLocation(file: path, line: lexer.line) }

        mutating func append(_ directive: Directive) { levels[levels.count - 1].append(directive) }

        mutating func openBlock(_ directive: Directive) {
            open.append(directive)
            levels.append([])
        }

        mutating func closeBlock() {
            var directive = open.removeLast()
            let children = levels.removeLast()
            // What stands in a block without a name is checked as if the braces were not there.
            guard !directive.words.isEmpty else {
                levels[levels.count - 1] += children
                return
            }
            directive.children = children
            append(directive)
        }
    }

    /// Reads a file to its end. Recursion is one level per include and thus bounded.
    private mutating func parse(_ reader: inout FileReader, includeDepth: Int, blockDepth: Int) -> [Directive] {
        while true {
            do throws(Lexer.Failure) {
                switch try reader.lexer.next() {
                case .simple(let words):
                    take(directive(words, at: reader.location), &reader, includeDepth: includeDepth, blockDepth: blockDepth)
                case .blockStart(let words):
                    let directive = directive(words, at: reader.location)
                    if directive.name.hasSuffix("_by_lua_block") {
                        reader.lexer.skipForeignBlock()
                        reader.append(directive)
                    } else if blockDepth + reader.open.count >= Self.blockDepthMax {
                        report("blocks are nested more than \(Self.blockDepthMax) deep", at: reader.location)
                        reader.lexer.skipForeignBlock()
                    } else {
                        reader.openBlock(directive)
                    }
                case .blockEnd:
                    if reader.open.isEmpty {
                        report("unexpected \"}\"", at: reader.location)
                        unbalanced.insert(reader.path)
                    } else {
                        reader.closeBlock()
                    }
                case .end:
                    if !reader.open.isEmpty {
                        // After another mistake it is not certain that a brace is missing.
                        if !reader.hasMistakes { report("unexpected end of file, expecting \"}\"", at: reader.location) }
                        unbalanced.insert(reader.path)
                    }
                    return finish(&reader)
                }
            } catch {
                report(error.message, at: SourceLocation(file: reader.path, line: error.line))
                reader.hasMistakes = true
                guard error.cutOff.isEmpty else {
                    // Read as if the ";" were there: what it defines is used elsewhere.
                    let location = SourceLocation(file: reader.path, line: error.line)
                    take(directive(error.cutOff, at: location), &reader, includeDepth: includeDepth, blockDepth: blockDepth)
                    if reader.open.isEmpty { unbalanced.insert(reader.path) } else { reader.closeBlock() }
                    continue
                }
                hasLostStatements = true
                if error.isAtEnd {
                    unbalanced.insert(reader.path)
                    return finish(&reader)
                }
                if error.opensBlock, blockDepth + reader.open.count < Self.blockDepthMax {
                    reader.openBlock(Directive(name: "", words: [], location: reader.location))
                }
            }
        }
    }

    /// Adds a statement, or what it includes.
    private mutating func take(_ directive: Directive, _ reader: inout FileReader, includeDepth: Int, blockDepth: Int) {
        if directive.name == "include" {
            include(directive, &reader, depth: includeDepth, blockDepth: blockDepth + reader.open.count)
            return
        }
        reader.append(directive)
        if directive.name == "state", reader.open.last?.name == "upstream" {
            includeState(directive, &reader, depth: includeDepth, blockDepth: blockDepth + reader.open.count)
        }
    }

    private func finish(_ reader: inout FileReader) -> [Directive] {
        while !reader.open.isEmpty { reader.closeBlock() }
        return reader.levels[0]
    }

    /// The servers of an upstream that NGINX Plus keeps in a file; there need not be one yet.
    private mutating func includeState(_ directive: Directive, _ reader: inout FileReader, depth: Int, blockDepth: Int) {
        guard directive.argumentCount == 1 else { return }
        let path = ConfigurationPath.absolute(directive.text(1), in: ConfigurationPath.withSlash(bundle.request.prefix))
        let found = bundle.globs[path] ?? source.glob(pattern: path)
        bundle.globs[path] = found
        read(found, for: directive, &reader, depth: depth, blockDepth: blockDepth)
    }

    private mutating func include(_ directive: Directive, _ reader: inout FileReader, depth: Int, blockDepth: Int) {
        guard directive.argumentCount == 1 else {
            report(
                "invalid number of arguments in \"include\" directive", at: directive.location, directive: "include")
            return
        }
        guard depth < Self.includeDepthMax else {
            report(
                "files are included more than \(Self.includeDepthMax) deep", at: directive.location,
                directive: "include")
            return
        }
        read(paths(of: directive), for: directive, &reader, depth: depth, blockDepth: blockDepth)
    }

    private mutating func read(
        _ paths: [String], for directive: Directive, _ reader: inout FileReader, depth: Int, blockDepth: Int
    ) {
        for path in paths {
            includeCount += 1
            guard includeCount <= Self.includeCountMax else {
                if includeCount == Self.includeCountMax + 1 {
                    report("more than \(Self.includeCountMax) files are included", at: directive.location)
                }
                return
            }
            guard let bytes = load(path: path, includedFrom: directive.location) else { continue }
            var included = FileReader(path: path, bytes: bytes)
            reader.levels[reader.levels.count - 1] += parse(&included, includeDepth: depth + 1, blockDepth: blockDepth)
        }
    }

    private mutating func paths(of directive: Directive) -> [String] {
        let path = ConfigurationPath.absolute(directive.text(1), in: directory)
        guard path.utf8.contains(where: { $0 == 0x2A || $0 == 0x3F || $0 == 0x5B }) else { return [path] }
        if let known = bundle.globs[path] { return known }
        let paths = source.glob(pattern: path)
        bundle.globs[path] = paths
        return paths
    }
}
