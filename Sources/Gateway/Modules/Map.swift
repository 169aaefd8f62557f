import Config
import Loop
import Wire

/// map (nginx: ngx_http_map_module): exact names ignoring case, wildcards of host names, regular expressions in order, the default.
extension Ref where Value == Request {
    func evaluateMap(_ index: Int) -> ByteView? {
        let configuration = worker.value.http.value.configuration
        let map = configuration.value.http!.maps[index]
        let text = evaluate(map.source)
        var key = lowercased(text)
        if map.isHostNames, key.last == 0x2e { key = key.dropLast() }
        if let value = map.isHostNames ? map.keys.find(key.array) : map.exact[key.array] { return evaluate(value) }
        for entry in map.patterns where match(worker.value.http.value.patterns[entry.pattern.index], text) { return evaluate(entry.value) }
        return evaluate(map.defaultValue)
    }
}
