/// The one table of directives: everything that nginx knows, what we took from NGINX Plus, and our own.
package enum DirectiveTable {
    /// All rows, by module and name as they were added.
    package static let entries: [DirectiveEntry] = {
        var builder = DirectiveTableBuilder()
        builder.addMain()
        builder.addEvents()
        builder.addCore()
        builder.addConnection()
        builder.addResponses()
        builder.addServer()
        builder.addRewrite()
        builder.addProxy()
        builder.addUpstream()
        builder.addModules()
        builder.addLimits()
        builder.addLogs()
        builder.addMaps()
        builder.addBodyFilters()
        builder.addGoodgate()
        builder.addUnsupported()
        builder.noticeUnused()
        return builder.entries
    }()

    /// Indices into `entries` by name.
    static let indices: [String: [Int]] = {
        var indices: [String: [Int]] = [:]
        for (index, entry) in entries.enumerated() { indices[entry.name, default: []].append(index) }
        return indices
    }()

    /// The rows of a name.
    package static func entries(named name: String) -> [DirectiveEntry] {
        (indices[name] ?? []).map { entries[$0] }
    }

    /// All names, in order.
    static let names: [String] = indices.keys.sorted()
}

/// Collects the rows of the table.
struct DirectiveTableBuilder {
    private(set) var entries: [DirectiveEntry] = []
    /// Module of the rows that follow.
    var module = ""
    /// Origin of the rows that follow.
    var origin = DirectiveEntry.Origin.nginx

    /// Adds a directive that is implemented.
    mutating func add(
        _ name: String, _ contexts: DirectiveContext, _ arguments: ArgumentRule, isBlock: Bool = false,
        isRepeatable: Bool = false, isEarly: Bool = false, _ handler: @escaping DirectiveHandler
    ) {
        entries.append(
            DirectiveEntry(
                name: name, module: module, contexts: contexts, arguments: arguments, support: .implemented,
                isBlock: isBlock, origin: origin, isRepeatable: isRepeatable, isEarly: isEarly, handler: handler))
    }

    /// Adds a directive that is read and ignored.
    mutating func accept(
        _ name: String, _ contexts: DirectiveContext, _ arguments: ArgumentRule, _ reason: String,
        isRepeatable: Bool = false, check: @escaping DirectiveHandler = { _, _ throws(DirectiveError) in }
    ) {
        entries.append(
            DirectiveEntry(
                name: name, module: module, contexts: contexts, arguments: arguments,
                support: .acceptedWithNotice(reason), isBlock: false, origin: origin, isRepeatable: isRepeatable,
                isEarly: false, handler: check))
    }

    /// Marks the directives whose values are read and checked, and for which there is nothing to do here, so that the reader says why.
    mutating func noticeUnused() {
        let needless = [
            "auth_delay": "there is no authentication yet",
            "client_body_in_single_buffer": "where a body lies makes no difference here",
            "connection_pool_size": "memory of connections is shared by all of a worker",
            "debug_connection": "there is no debug log",
            "early_hints": "interim answers of an upstream are not passed on",
            "gunzip_buffers": "what is unpacked goes through the worker's own buffers",
            "gzip_buffers": "what is compressed goes through the worker's own buffers",
            "gzip_no_buffer": "compressed data waits for a full buffer unless the answer itself is flushed",
            "master_process": "the supervisor is always a process of its own",
            "output_buffers": "files are sent by the kernel, not read into buffers",
            "proxy_busy_buffers_size": "buffers are sent as they come",
            "proxy_pass_trailers": "trailers of an upstream are not passed on",
            "proxy_temp_file_write_size": "buffers are written as they come",
            "request_pool_size": "memory of requests is shared by all of a worker",
            "ssi_ignore_recycled_buffers": "buffers that are used again are never kept by it",
            "ssi_min_file_chunk": "pieces of files are never stored in files again",
        ]
        for index in entries.indices {
            if let reason = needless[entries[index].name] { entries[index].support = .acceptedWithNotice(reason) }
        }
    }

    /// Adds a directive that is refused.
    /// - Parameter harmless: the one value that is accepted.
    mutating func refuse(
        _ name: String, _ contexts: DirectiveContext, _ arguments: ArgumentRule = .any, isBlock: Bool = false,
        accepting harmless: String? = nil, as support: DirectiveSupport
    ) {
        entries.append(
            DirectiveEntry(
                name: name, module: module, contexts: contexts, arguments: arguments, support: support,
                harmlessValue: harmless, isBlock: isBlock, origin: origin, isRepeatable: harmless == nil, isEarly: false,
                handler: { _, _ throws(DirectiveError) in }))
    }
}
