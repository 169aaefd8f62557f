extension DirectiveTableBuilder {
    /// `limit_req`, `limit_conn`.
    mutating func addLimits() {
        module = "http_limit_req"
        add("limit_req_zone", .http, .exactly(3), isRepeatable: true, isEarly: true, LimitHandlers.requestZone)
        add("limit_req", .inherited, .between(1, 3), isRepeatable: true, LimitHandlers.requests)
        add("limit_req_log_level", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.limitRequests.logLevel = try LimitHandlers.logLevel(directive)
        }
        add("limit_req_status", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.limitRequests.status = try LimitHandlers.status(directive)
        }
        add("limit_req_dry_run", .inherited, .flag, Setter.flag(\.limitRequests.isDryRun))
        module = "http_limit_conn"
        add("limit_conn_zone", .http, .exactly(2), isRepeatable: true, isEarly: true, LimitHandlers.connectionZone)
        add("limit_conn", .inherited, .exactly(2), isRepeatable: true, LimitHandlers.connections)
        add("limit_conn_log_level", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.limitConnections.logLevel = try LimitHandlers.logLevel(directive)
        }
        add("limit_conn_status", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.limitConnections.status = try LimitHandlers.status(directive)
        }
        add("limit_conn_dry_run", .inherited, .flag, Setter.flag(\.limitConnections.isDryRun))
        refuse("limit_zone", .http, as: .never("it left nginx in 1.7.6; use \"limit_conn_zone\""))
    }
}

/// Handlers of the limiting modules.
enum LimitHandlers {
    static func logLevel(_ directive: Directive) throws(DirectiveError) -> LogLevel {
        switch directive.text(1) {
        case "info": .info
        case "notice": .notice
        case "warn": .warning
        case "error": .error
        default: throw DirectiveError("invalid value", quoting: directive[1])
        }
    }

    static func status(_ directive: Directive) throws(DirectiveError) -> Int {
        let status = try directive.number()
        guard status >= 400, status <= 599 else { throw DirectiveError("value must be between 400 and 599") }
        return status
    }

    /// Columns of a `limit_conn` zone, one per worker, are mapped whole: 32 times its size in addresses, in which a place is 32 bits.
    private static let sizeMax: ByteCount = 256 << 20

    /// `zone=NAME:SIZE`.
    private static func zone(
        _ reader: ConfigurationReader, _ directive: Directive, _ index: Int, _ value: ArraySlice<UInt8>
    ) throws(DirectiveError) -> (name: String, size: ByteCount) {
        guard let colon = value.firstIndex(of: UInt8(ascii: ":")),
            let size = ValueParsing.size(value[(colon + 1)...])
        else { throw DirectiveError("invalid zone size", quoting: directive[index]) }
        guard size >= 8 * reader.facts.pageSize else {
            throw DirectiveError("zone \"\(directive.text(index))\" is too small")
        }
        let name = String(decoding: value[..<colon], as: UTF8.self)
        guard size <= sizeMax else {
            throw DirectiveError("zone \"\(name)\" is too large: 256m is the most, and holds 4 million keys")
        }
        return (name, size)
    }

    static let requestZone: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let key = try reader.template(directive[1], at: directive.location)
        var zone: (name: String, size: ByteCount)?
        var (rate, scale) = (1, 1)
        for index in 2...directive.argumentCount {
            if let value = directive.value(index, after: "zone=") {
                zone = try LimitHandlers.zone(reader, directive, index, value)
            } else if let value = directive.value(index, after: "rate=") {
                let isPerMinute = value.suffix(3).elementsEqual("r/m".utf8)
                let hasUnit = isPerMinute || value.suffix(3).elementsEqual("r/s".utf8)
                guard let number = ValueParsing.integer(hasUnit ? value.dropLast(3) : value), number > 0,
                    number <= Int.max / 1_000
                else { throw DirectiveError("invalid rate", quoting: directive[index]) }
                (rate, scale) = (number, isPerMinute ? 60 : 1)
            } else {
                throw directive.invalidParameter(index, known: ["zone=", "rate="])
            }
        }
        guard let zone, !zone.name.isEmpty else {
            throw DirectiveError("\"limit_req_zone\" must have \"zone\" parameter")
        }
        try reader.declareZone(zone.name, use: "http_limit_req", size: zone.size)
        if let known = reader.http.limitRequestZones.first(where: { $0.name == zone.name }) {
            throw alreadyBound(directive, zone.name, known.keyText)
        }
        var settings = LimitRequestZone(
            name: zone.name, size: zone.size, key: key, rate: rate * 1_000 / scale, location: directive.location)
        settings.keyText = directive[1]
        reader.http.limitRequestZones.append(settings)
    }

    static let connectionZone: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let key = try reader.template(directive[1], at: directive.location)
        guard let value = directive.value(2, after: "zone=") else {
            throw directive.invalidParameter(2, known: ["zone="])
        }
        let zone = try LimitHandlers.zone(reader, directive, 2, value)
        guard !zone.name.isEmpty else { throw DirectiveError("\"limit_conn_zone\" must have \"zone\" parameter") }
        try reader.declareZone(zone.name, use: "http_limit_conn", size: zone.size)
        if let known = reader.http.limitConnectionZones.first(where: { $0.name == zone.name }) {
            throw alreadyBound(directive, zone.name, known.keyText)
        }
        var settings = LimitConnectionZone(name: zone.name, size: zone.size, key: key, location: directive.location)
        settings.keyText = directive[1]
        reader.http.limitConnectionZones.append(settings)
    }

    private static func alreadyBound(_ directive: Directive, _ zone: String, _ key: Bytes) -> DirectiveError {
        DirectiveError(
            "\(directive.name) \"\(zone)\" is already bound to key \"\(String(decoding: key, as: UTF8.self))\"")
    }

    private static func unknownZone(_ name: String, known: [String]) -> DirectiveError {
        DirectiveError(
            "zero size shared memory zone \"\(name)\"", suggestion: EditDistance.nearest(to: name, in: known))
    }

    static let requests: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var name: String?
        var (burst, delay) = (0, 0)
        for index in 1...directive.argumentCount {
            if let value = directive.value(index, after: "zone=") {
                name = String(decoding: value, as: UTF8.self)
            } else if let value = directive.value(index, after: "burst=") {
                guard let number = ValueParsing.integer(value), number > 0, number <= Int.max / 1_000 else {
                    throw DirectiveError("invalid burst value", quoting: directive[index])
                }
                burst = number * 1_000
            } else if let value = directive.value(index, after: "delay=") {
                guard let number = ValueParsing.integer(value), number > 0, number <= Int.max / 1_000 else {
                    throw DirectiveError("invalid delay value", quoting: directive[index])
                }
                delay = number * 1_000
            } else if directive.isWord(index, "nodelay") {
                delay = .max
            } else {
                throw directive.invalidParameter(index, known: ["zone=", "burst=", "delay=", "nodelay"])
            }
        }
        guard let name else { throw DirectiveError("\"limit_req\" must have \"zone\" parameter") }
        try reader.declareZone(name, use: "http_limit_req", size: nil)
        let zones = reader.http.limitRequestZones
        guard let zone = zones.firstIndex(where: { $0.name == name }) else {
            throw unknownZone(name, known: zones.map(\.name))
        }
        if reader.scope.isFirst("limit_req") { reader.scope.settings.limitRequests.rules = [] }
        if reader.scope.settings.limitRequests.rules.contains(where: { $0.zone == zone }) {
            throw DirectiveError(directive, "is duplicate")
        }
        reader.scope.settings.limitRequests.rules.append(
            LimitRequestsSettings.Rule(zone: zone, burst: burst, delay: delay))
    }

    static let connections: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let zones = reader.http.limitConnectionZones
        let name = directive.text(1)
        try reader.declareZone(name, use: "http_limit_conn", size: nil)
        guard let number = ValueParsing.integer(directive[2]), number > 0 else {
            throw DirectiveError("invalid number of connections", quoting: directive[2])
        }
        guard number <= 65_535 else { throw DirectiveError("connection limit must be less 65536") }
        guard let zone = zones.firstIndex(where: { $0.name == name }) else {
            throw unknownZone(name, known: zones.map(\.name))
        }
        if reader.scope.isFirst("limit_conn") { reader.scope.settings.limitConnections.rules = [] }
        if reader.scope.settings.limitConnections.rules.contains(where: { $0.zone == zone }) {
            throw DirectiveError(directive, "is duplicate")
        }
        guard reader.scope.settings.limitConnections.rules.count < LimitConnectionsSettings.rulesMax else {
            throw DirectiveError("more than \(LimitConnectionsSettings.rulesMax) \"limit_conn\" in one place are not supported")
        }
        reader.scope.settings.limitConnections.rules.append(
            LimitConnectionsSettings.Rule(zone: zone, connections: number))
    }
}
