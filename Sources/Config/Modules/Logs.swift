extension DirectiveTableBuilder {
    /// The log module.
    mutating func addLogs() {
        module = "http_log"
        add("log_format", .http, .atLeast(2), isRepeatable: true, isEarly: false) {
            (reader, directive) throws(DirectiveError) in
            try reader.logFormat(directive)
        }
        add("access_log", [.http, .server, .location, .locationIf, .limitExcept], .atLeast(1), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try reader.accessLog(directive)
        }
        add("open_log_file_cache", .inherited, .between(1, 4)) { (reader, directive) throws(DirectiveError) in
            var cache = LogFileCache(entryCountMax: 0)
            var isOff = false
            for index in 1...directive.argumentCount {
                if let value = directive.value(index, after: "max="), let number = ValueParsing.integer(value) {
                    cache.entryCountMax = number
                } else if let value = directive.value(index, after: "inactive="), let time = ValueParsing.seconds(value) {
                    cache.inactive = time
                } else if let value = directive.value(index, after: "min_uses="), let number = ValueParsing.integer(value) {
                    cache.usesMin = number
                } else if let value = directive.value(index, after: "valid="), let time = ValueParsing.seconds(value) {
                    cache.valid = time
                } else if directive.isWord(index, "off") {
                    isOff = true
                } else {
                    throw DirectiveError("invalid \"open_log_file_cache\" parameter", quoting: directive[index])
                }
            }
            if !isOff, cache.entryCountMax == 0 {
                throw DirectiveError("\"open_log_file_cache\" must have \"max\" parameter")
            }
            reader.scope.settings.log.fileCache = isOff ? nil : cache
        }
    }
}
