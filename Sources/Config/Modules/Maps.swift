extension DirectiveTableBuilder {
    /// Variables that are computed from others.
    mutating func addMaps() {
        module = "http_map"
        let number: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.number() }
        accept("map_hash_max_size", .http, .exactly(1), "tables grow as needed", check: number)
        accept("map_hash_bucket_size", .http, .exactly(1), "tables grow as needed", check: number)
        add("map", .http, .exactly(2), isBlock: true, isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            try reader.readMap(directive)
        }
        module = "http_geo"
        add("geo", .http, .between(1, 2), isBlock: true, isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try reader.readGeo(directive)
        }
        module = "http_split_clients"
        add("split_clients", .http, .exactly(2), isBlock: true, isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try reader.readSplitClients(directive)
        }
    }
}
