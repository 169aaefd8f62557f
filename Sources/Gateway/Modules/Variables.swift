import Config
import Loop
import Wire

/// map, geo, split_clients and the variables of modules that have no file of their own.
extension Ref where Value == Request {
    func moduleBuiltin(_ name: BuiltinVariable) -> ByteView? { nil }

    func rareVariable(_ entry: VariableEntry) -> ByteView? { nil }

    func upstreamCookie(_ name: ByteView) -> ByteView? {
        guard let exchange = value.exchange, exchange.value.hasHead, let base = exchange.value.input?.whole else { return nil }
        for index in 0..<exchange.value.fields.count where exchange.value.fields[index].token == .setCookie {
            if let found = Cookie.value(name, setBy: exchange.value.fields[index].value.view(base)) { return found }
        }
        return nil
    }

    /// map: exact names (ignoring case), then regular expressions, then the default.
    func evaluateMap(_ index: Int) -> ByteView? {
        let http = worker.value.http.value.configuration
        let map = http.value.http!.maps[index]
        let key = evaluate(map.source)
        if let value = map.exact[lowercased(key).array] { return evaluate(value) }
        for entry in map.patterns where match(worker.value.http.value.patterns[entry.pattern.index], key) { return evaluate(entry.value) }
        return evaluate(map.defaultValue)
    }

    func evaluateGeo(_ index: Int) -> ByteView? { nil }

    func evaluateSplitClients(_ index: Int) -> ByteView? { nil }
}
