import Loop
import Wire

/// map (nginx: ngx_http_map_module): exact names ignoring case, wildcards of host names, regular expressions in order, the default.
extension Ref where Value == Request {
    func evaluateMap(_ index: Int) -> ByteView? {
        let map = worker.value.http.value.maps[index]
        var text = evaluate(map.value.source)
        let key = map.value.isHostNames && text.last == 0x2e ? text.dropLast() : text
        if let value = map.value.names.find(key) { return keep(evaluate: value) }
        let patterns = map.value.patterns
        // What was captured may be asked for when the text's own memory has another use.
        if !patterns.isEmpty { text = keep(text) }
        for index in patterns.indices where match(patterns[index].pattern, text) { return keep(evaluate: patterns[index].value) }
        return keep(evaluate: map.value.defaultValue)
    }

    /// The text with this request's values, in memory that lives as long as the request: the result is stored.
    private func keep(evaluate text: CompiledText) -> ByteView { text.constant ?? keep(evaluate(text)) }
}
