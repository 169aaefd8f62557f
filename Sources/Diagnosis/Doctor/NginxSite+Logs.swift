/// Where nginx logs, and what of that can be read.
extension NginxSite {
    mutating func collectLogs(_ node: ConfigNode, _ formats: [String: AccessFormat]) {
        if node.name == "error_log", let target = node.arguments.first { addErrorLog(target, node) }
        if node.name == "access_log", let target = node.arguments.first, target != "off", target != "/dev/null" {
            let format = formats[node.arguments.count > 1 ? node.arguments[1] : "combined"] ?? .combined
            if let why = unreadable(target) {
                gaps.append("access_log \(target) (\(node.place)): \(why)")
            } else {
                addAccessLog(absolute(target), format)
            }
        }
        for child in node.children ?? [] { collectLogs(child, formats) }
    }

    /// `stream` and `mail` log connections, not responses.
    mutating func collectErrorLogs(_ node: ConfigNode) {
        if node.name == "error_log", let target = node.arguments.first { addErrorLog(target, node) }
        for child in node.children ?? [] { collectErrorLogs(child) }
    }

    /// Whether a directive stands anywhere.
    func has(_ name: String) -> Bool {
        func isIn(_ nodes: [ConfigNode]) -> Bool { nodes.contains { $0.name == name || isIn($0.children ?? []) } }
        return isIn(main)
    }

    private mutating func addErrorLog(_ target: String, _ node: ConfigNode) {
        if target == "/dev/null" {
            discardedErrors.append(node)
            return gaps.append("error_log \(target) (\(node.place)): why requests failed is not written down")
        }
        if let why = unreadable(target) { return gaps.append("error_log \(target) (\(node.place)): \(why)") }
        let path = absolute(target)
        if !errorLogs.contains(path) { errorLogs.append(path) }
        errorLevels[path] = node.arguments.count > 1 ? node.arguments[1] : "error"
    }

    /// Why what is written to a target cannot be read here; nil when it is a file.
    private func unreadable(_ target: String) -> String? {
        if target.hasPrefix("syslog:") { return "goes to syslog, which is not read: ask journalctl -t nginx" }
        if ["stderr", "/dev/stderr", "/dev/stdout"].contains(target) || target.hasPrefix("/proc/self/") {
            return "goes to nginx' own output, which is not read: ask journalctl -u nginx, or the container's log"
        }
        if target.hasPrefix("memory:") { return "is kept in nginx' memory, which is not read" }
        return target.contains("$") ? "has variables in its path, so its files are not known" : nil
    }

    func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : prefix + (prefix.hasSuffix("/") ? "" : "/") + path
    }

    private mutating func addAccessLog(_ path: String, _ format: AccessFormat) {
        guard !format.beforeStatus.isEmpty, format.hasTime else {
            let missing = format.hasTime ? "$status behind a text" : "time"
            return gaps.append("\(path): its log_format has no \(missing), so its responses are not read")
        }
        guard let index = accessLogs.firstIndex(where: { $0.path == path }) else {
            return accessLogs.append(AccessLog(path: path, formats: [format]))
        }
        if !accessLogs[index].formats.contains(format) { accessLogs[index].formats.append(format) }
    }
}
