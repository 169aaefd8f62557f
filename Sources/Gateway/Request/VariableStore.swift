import Config
import Loop
import Wire

/// Values of variables that a request stores: by `set`, by named captures, or computed once (map, geo …).
struct VariableStore: ~Copyable {
    enum State: UInt8 { case unknown, notFound, found }
    struct Slot: BitwiseCopyable {
        var state = State.unknown
        var value = ByteView()
    }

    private var slots = Table<Slot>(capacity: 1)

    init() {}

    mutating func reset() { if !slots.isEmpty { slots.removeAll() } }

    /// - Returns: nil if nothing is stored; `.some(nil)` for "known not to be found".
    func stored(_ index: Int32) -> ByteView?? {
        guard index < slots.count else { return nil }
        switch slots[Int(index)].state {
        case .unknown: return nil
        case .notFound: return .some(nil)
        case .found: return .some(slots[Int(index)].value)
        }
    }

    /// - Parameter count: number of variables of the configuration.
    mutating func store(_ index: Int32, _ value: ByteView?, count: Int) {
        if slots.isEmpty { for _ in 0..<count { slots.append(Slot()) } }
        guard index >= 0, index < slots.count else { return }
        slots[Int(index)] = Slot(state: value == nil ? .notFound : .found, value: value ?? ByteView())
    }
}

extension Ref where Value == Request {
    /// Stores a value for the main request and its subrequests.
    func setVariable(_ index: Int32, _ text: ByteView) {
        main.value.variables.store(index, text, count: worker.value.http.value.variables.count)
    }

    /// The value of a variable; nil if it is not found (empty in texts, `-` in logs).
    @inline(__always)
    func variable(_ index: Int32) -> ByteView? {
        let entry = worker.value.http.value.variables[Int(index)]
        if entry.isAssigned || entry.isCached, let stored = main.value.variables.stored(index) { return stored }
        return compute(entry, index)
    }

    private func compute(_ entry: VariableEntry, _ index: Int32) -> ByteView? {
        let result: ByteView?
        switch entry.kind {
        case .builtin: return builtin(entry.builtin)
        case .requestHeader: return requestHeader(entry.name)
        case .sentHeader: return sentHeader(entry.name)
        case .upstreamHeader: return upstreamHeader(entry.name)
        case .cookie: return cookie(entry.name)
        case .argument: return value.arguments.isEmpty ? nil : URI.argument(entry.name, in: value.arguments)
        case .upstreamCookie: return upstreamCookie(entry.name)
        case .sentTrailer: return findField(entry.name, value.response.trailers)
        case .upstreamTrailer, .proxyProtocolTLV: return rareVariable(entry)
        case .map, .geo, .splitClients: result = evaluateNested(entry)
        case .assigned:
            if worker.value.http.value.warnsUninitialized, location.value.settings.value.core.warnsOfUninitializedVariables {
                log(.warning, "using uninitialized \"\(entry.name.string)\" variable")
            }
            return ByteView()
        case .none: return nil
        }
        if entry.isCached { main.value.variables.store(index, result, count: worker.value.http.value.variables.count) }
        return result
    }

    /// Variables whose values are made of other variables. A configuration can name them in a circle (nginx: ngx_http_variable_depth).
    private func evaluateNested(_ entry: VariableEntry) -> ByteView? {
        guard worker.value.variableDepth < 100 else {
            log(.error, "cycle while evaluating variable \"\(entry.name.string)\"")
            return nil
        }
        worker.value.variableDepth += 1
        defer { worker.value.variableDepth -= 1 }
        switch entry.kind {
        case .map: return evaluateMap(entry.number)
        case .geo: return evaluateGeo(entry.number)
        default: return evaluateSplitClients(entry.number)
        }
    }

    private func requestHeader(_ name: ByteView) -> ByteView? { findField(name, main.value.fields) }

    private func sentHeader(_ name: ByteView) -> ByteView? { findField(name, value.response.fields) }

    private func upstreamHeader(_ name: ByteView) -> ByteView? {
        guard let exchange = value.exchange else { return nil }
        return exchange.upstreamField(variable: name)
    }

    func cookie(_ name: ByteView) -> ByteView? {
        for index in main.value.fields.indices where main.value.fields[index].token == .cookie {
            if let found = Cookie.value(name, in: main.value.fields[index].value) { return found }
        }
        return nil
    }

    /// Finds a field by a variable's name (`_` stands for `-`); several lines are joined as nginx does since 1.23.
    func findField(_ name: ByteView, _ fields: borrowing Table<HeaderField>) -> ByteView? {
        var found: ByteView?
        var scratch: Ref<Buffer>?
        for index in fields.indices {
            let field = fields[index]
            guard !field.isRemoved, field.name.count == name.count, FieldHash.matches(variable: name, name: field.name) else { continue }
            guard let first = found else {
                found = field.value
                continue
            }
            let buffer = scratch ?? pool.value.take(1024)
            if scratch == nil { buffer.append(first) }
            scratch = buffer
            buffer.append(field.token == .cookie ? "; " : ", ")
            buffer.append(field.value)
        }
        if let scratch {
            found = keep(scratch.view)
            pool.value.give(scratch)
        }
        return found
    }
}
