extension DirectiveTableBuilder {
    /// Servers, locations and what is about the request head.
    mutating func addServer() {
        module = "http_core"
        add("server", .http, .exactly(0), isBlock: true, isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            reader.scope.deferred.append { $0.readServer(directive) }
        }
        add("location", [.server, .location], .between(1, 2), isBlock: true, isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            let match = try reader.locationMatch(directive)
            try reader.checkNesting(of: match)
            reader.scope.deferred.append { $0.readLocation(directive, match) }
        }
        add("listen", .server, .atLeast(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            try reader.listen(directive)
        }
        add("server_name", .server, .atLeast(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            try reader.serverName(directive)
        }
        let head: DirectiveContext = [.http, .server]
        add("client_header_timeout", head, .exactly(1), Setter.milliseconds(head: \.timeout))
        add("client_header_buffer_size", head, .exactly(1), Setter.size(head: \.bufferSize))
        add("large_client_header_buffers", head, .exactly(2)) { (reader, directive) throws(DirectiveError) in
            let (count, size) = try directive.buffers()
            reader.scope.head.largeBufferCount = count
            reader.scope.head.largeBufferSize = size
        }
        add("max_headers", head, .exactly(1), Setter.number(head: \.fieldCountMax))
        add("ignore_invalid_headers", head, .flag, Setter.flag(head: \.ignoresInvalidFields))
        add("merge_slashes", head, .flag, Setter.flag(head: \.mergesSlashes))
        add("underscores_in_headers", head, .flag, Setter.flag(head: \.allowsUnderscores))
        add("connection_pool_size", head, .exactly(1), Self.poolSize(\.connectionPoolSize))
        add("request_pool_size", head, .exactly(1), Self.poolSize(\.requestPoolSize))
    }

    /// Memory is not taken from pools; the value still bounds `large_client_header_buffers`.
    private static func poolSize(_ path: Setter.HeadPath<ByteCount>) -> DirectiveHandler {
        { (reader, directive) throws(DirectiveError) in
            let size = try directive.size()
            guard size >= 112 else { throw DirectiveError("the pool size must be no less than 112") }
            guard size % 16 == 0 else { throw DirectiveError("the pool size must be a multiple of 16") }
            reader.scope.head[keyPath: path] = size
        }
    }
}
