import Config
import Loop
import Wire

/// Server-side includes (nginx: ngx_http_ssi_filter_module). Text passes as it comes; at a command the filter does what it says, and at
/// one that must be waited for it holds everything behind until the subrequest has ended.
final class SSIFilter: BodyFilter {
    /// What a command leads to.
    enum Outcome { case done, wait(RequestRef), failed }
    enum Encoding { case none, url, entity }
    enum Condition: Int { case none = 0, afterIf, afterElse }

    private var scanner: SSIScanner
    private var held: HeldPieces
    /// How far the first of them is scanned.
    private var position = 0
    private var waiting: RequestRef?
    private var isBusy = false
    let isSilent: Bool

    // State of commands, see `SSIFilter+Commands.swift`.
    var isOutput = true
    var isChosen = false
    var isInBlock = false
    var condition = Condition.none
    var encoding = Encoding.entity
    var errorText: ByteView = "[an error occurred while processing the directive]"
    var timeFormat = SSIFilter.defaultTimeFormat
    static var defaultTimeFormat: ByteView { "%A, %d-%b-%Y %H:%M:%S %Z" }

    init(valueLengthMax: Int, isSilent: Bool, _ pool: Ref<BufferPool>) {
        held = HeldPieces(pool)
        scanner = SSIScanner(valueLengthMax: valueLengthMax)
        self.isSilent = isSilent
    }

    var canResume: Bool { waiting == nil }
    var isHolding: Bool { waiting != nil || !held.isEmpty }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        held.append(piece, isLast: isLast, isFlush: isFlush)
        run(request, index)
    }

    func resume(request: RequestRef, index: Int) { run(request, index) }

    func subrequestEnded(_ child: RequestRef, request: RequestRef, index: Int) {
        if child.value.subrequests.purpose == .capture { storeCaptured(child, request) }
        guard waiting == child else { return }
        waiting = nil
        run(request, index)
    }

    private func run(_ request: RequestRef, _ index: Int) {
        guard !isBusy else { return }
        isBusy = true
        defer { isBusy = false }
        while waiting == nil, !held.isEmpty {
            let writer = PieceWriter(request: request, index: index)
            guard scanPiece(request, writer) else { return writer.flush() }
            let first = held.first
            if first.isLast, isOutput { writer.append(scanner.pendingMark) }
            held.dropFirst()
            position = 0
            writer.finish(isLast: first.isLast, isFlush: first.isFlush)
        }
    }

    /// Works through the first piece. False if it must wait in the middle of it.
    private func scanPiece(_ request: RequestRef, _ writer: PieceWriter) -> Bool {
        guard let bytes = held.first.piece?.bytes else { return true }
        while position < bytes.count {
            let start = position
            let found = scanner.scan(bytes, from: start)
            position = found.next
            write("<!--#", count: found.markPrefix, request, writer)
            write(bytes[start..<found.textEnd], request, writer)
            guard found.isCommand else { continue }
            switch execute(request, writer) {
            case .done: break
            case .wait(let child):
                waiting = child
                return false
            case .failed: if !isSilent { writer.append(errorText) }
            }
        }
        return true
    }

    private func write(_ mark: ByteView, count: Int, _ request: RequestRef, _ writer: PieceWriter) {
        if count > 0 { write(mark.prefix(count), request, writer) }
    }

    private func write(_ text: ByteView, _ request: RequestRef, _ writer: PieceWriter) {
        if text.isEmpty { return }
        if isOutput { return writer.append(text) }
        if isInBlock { request.main.value.modules.ssi?.appendToBlock(text.array) }
    }

    /// Parses and executes the command that the scanner found.
    private func execute(_ request: RequestRef, _ writer: PieceWriter) -> Outcome {
        guard !scanner.isBroken, let command = SSICommand(scanner.command) else {
            if !isOutput { return .done }
            request.log(.error, "SSI command is not well formed or has too long a value")
            return .failed
        }
        let name = String(decoding: command.name, as: UTF8.self)
        guard let kind = SSICommandKind(rawValue: name) else {
            guard isOutput else { return .done }
            request.log(.error, "invalid SSI command: \"\(name)\"")
            return .failed
        }
        if !isOutput, kind != .endblock {
            if isInBlock {
                request.main.value.modules.ssi?.appendToBlock(Array("<!--#".utf8) + scanner.command + Array("-->".utf8))
                return .done
            }
            if kind.condition == .none { return .done }
        }
        if kind.condition != .none, condition == .none || condition.rawValue > kind.condition.rawValue {
            request.log(.error, "invalid context of SSI command: \"\(name)\"")
            return .failed
        }
        var arguments = SSIArguments()
        for (key, value) in command.parameters {
            let word = String(decoding: key, as: UTF8.self)
            guard kind.parameters.contains(word) else {
                request.log(.error, "invalid parameter name: \"\(word)\" in \"\(name)\" SSI command")
                return .failed
            }
            guard arguments.set(word, request.keep(value)) else {
                request.log(.error, "duplicate \"\(word)\" parameter in \"\(name)\" SSI command")
                return .failed
            }
        }
        for word in kind.mandatory where arguments[word] == nil {
            request.log(.error, "mandatory \"\(word)\" parameter is absent in \"\(name)\" SSI command")
            return .failed
        }
        return perform(kind, arguments, request, writer)
    }
}

/// The commands and their parameters.
enum SSICommandKind: String {
    case include, echo, config, set, `if`, elif, `else`, endif, block, endblock

    var parameters: [String] {
        switch self {
        case .include: ["virtual", "file", "wait", "set", "stub"]
        case .echo: ["var", "default", "encoding"]
        case .config: ["errmsg", "timefmt"]
        case .set: ["var", "value"]
        case .if, .elif: ["expr"]
        case .block: ["name"]
        case .else, .endif, .endblock: []
        }
    }

    var mandatory: [String] {
        switch self {
        case .echo: ["var"]
        case .set: ["var", "value"]
        case .if, .elif: ["expr"]
        case .block: ["name"]
        case .include, .config, .else, .endif, .endblock: []
        }
    }

    /// The latest state of a condition in which the command may stand; none: anywhere.
    var condition: SSIFilter.Condition {
        switch self {
        case .elif, .else: .afterIf
        case .endif: .afterElse
        default: .none
        }
    }
}

/// Parameters of one command, in the request's arena.
struct SSIArguments {
    private var entries: [(key: String, value: ByteView)] = []

    subscript(key: String) -> ByteView? { entries.first { $0.key == key }?.value }

    mutating func set(_ key: String, _ value: ByteView) -> Bool {
        if self[key] != nil { return false }
        entries.append((key, value))
        return true
    }
}

/// What the SSI of a main request and all its subrequests share: variables and blocks.
final class SSIContext {
    /// Longest value that a command may make, as long as a block.
    static let valueLengthMax = 65_536
    private var variables: [(name: ByteView, value: ByteView)] = []
    private var blocks: [(name: ByteView, content: [UInt8])] = []
    /// Variables that captured subrequests set.
    private var captures: [(child: RequestRef, name: ByteView)] = []
    /// Groups of the last regular expression that matched.
    var groups: [ByteView] = []

    func value(of name: ByteView) -> ByteView? {
        if name.count == 1, let digit = name.first, digit &- 0x30 < 10, Int(digit - 0x30) < groups.count {
            return groups[Int(digit - 0x30)]
        }
        return variables.first { $0.name == name }?.value
    }

    func set(_ name: ByteView, _ value: ByteView) {
        guard let index = variables.firstIndex(where: { $0.name == name }) else { return variables.append((name, value)) }
        variables[index].value = value
    }

    func capture(_ child: RequestRef, into name: ByteView) { captures.append((child, name)) }

    func nameCaptured(by child: RequestRef) -> ByteView? { captures.first { $0.child == child }?.name }

    func beginBlock(_ name: ByteView) { blocks.append((name, [])) }

    /// A block is kept up to 64 KiB.
    func appendToBlock(_ bytes: [UInt8]) {
        guard let last = blocks.indices.last, blocks[last].content.count + bytes.count <= Self.valueLengthMax else { return }
        blocks[last].content += bytes
    }

    func block(_ name: ByteView) -> [UInt8]? { blocks.first { $0.name == name }?.content }
}
