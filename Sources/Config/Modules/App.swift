/// Handlers of the parameters of `app`.
enum AppHandlers {
    static let listen: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        switch directive.text(1) {
        case "port": reader.scope.app?.listen = .port
        case "fd": reader.scope.app?.listen = .descriptor
        case "unix": reader.scope.app?.listen = .unix
        case "none": reader.scope.app?.listen = .nowhere
        default:
            let place = "\"\(directive.text(1))\" of the \"listen\" directive"
            let host = try reader.address(directive[1], HostPort.Rules(), in: place)
            guard case .literal(let address) = host.address else {
                throw directive.invalidParameter(1, known: ["port", "fd", "unix", "none"])
            }
            if address.port != nil, !host.hasPort { throw DirectiveError("no port in \(place)") }
            reader.scope.app?.listen = .fixed(address)
        }
    }

    static let health: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if directive.argumentCount == 1, directive.isWord(1, "off") {
            reader.scope.app?.health = nil
            return
        }
        var health = AppSettings.Health()
        let known = ["uri=", "interval=", "timeout=", "passes=", "fails=", "match="]
        for index in 1..<directive.words.count {
            var invalid: DirectiveError { directive.invalidValue(index, of: known) }
            if let value = directive.value(index, after: "uri="), value.first == UInt8(ascii: "/") {
                health.uri = Bytes(value)
            } else if let value = directive.value(index, after: "interval=") {
                guard let time = ValueParsing.milliseconds(value), time > 0 else { throw invalid }
                health.interval = time
            } else if let value = directive.value(index, after: "timeout=") {
                guard let time = ValueParsing.milliseconds(value), time > 0 else { throw invalid }
                health.timeout = time
            } else if let value = directive.value(index, after: "passes=") {
                guard let count = ValueParsing.integer(value), count > 0 else { throw invalid }
                health.passes = count
            } else if let value = directive.value(index, after: "fails=") {
                guard let count = ValueParsing.integer(value), count > 0 else { throw invalid }
                health.fails = count
            } else if let value = directive.value(index, after: "match="), !value.isEmpty {
                health.match = String(decoding: value, as: UTF8.self)
            } else {
                throw invalid
            }
        }
        reader.scope.app?.health = health
    }

    /// With less than a megabyte or 16 descriptors no program comes up.
    static func memory(_ directive: Directive) throws(DirectiveError) -> ByteCount {
        let size = try directive.size(allowsGiga: true)
        guard size >= 1 << 20 else { throw DirectiveError(directive, "value must be at least 1m") }
        return size
    }

    static func files(_ directive: Directive) throws(DirectiveError) -> Int {
        let count = try directive.number()
        guard count >= 16 else { throw DirectiveError(directive, "value must be at least 16") }
        return count
    }

    static let stopSignal: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var name = directive.text(1).uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        guard let number = AppSettings.signalNumber(name) else {
            throw DirectiveError(
                "invalid signal \"\(directive.text(1))\"",
                suggestion: EditDistance.nearest(to: name, in: AppSettings.signals.keys.sorted()))
        }
        reader.scope.app?.stopSignal = number
    }

    static let restart: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var restart = AppSettings.Restart()
        restart.policy = try directive.choice()
        if directive.argumentCount == 2 {
            guard let value = directive.value(2, after: "backoff=") else {
                throw directive.invalidParameter(2, known: ["backoff="])
            }
            let text = String(decoding: value, as: UTF8.self)
            let bytes = Bytes(text.utf8)
            let dots = bytes.indices.dropLast().first { bytes[$0] == 0x2E && bytes[$0 + 1] == 0x2E }
            guard let dots, let low = ValueParsing.milliseconds(bytes[..<dots]),
                let high = ValueParsing.milliseconds(bytes[(dots + 2)...]), low > 0, low <= high
            else { throw directive.invalidParameter(2, known: ["backoff=100ms..15s"]) }
            (restart.backoffMin, restart.backoffMax) = (low, high)
        }
        reader.scope.app?.restart = restart
    }

    static let log: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if directive.argumentCount == 1, directive.isWord(1, "off") {
            reader.scope.app?.log = nil
            return
        }
        // The workers' logs can go to a syslog server; an app's output cannot.
        if directive.value(1, after: "syslog:") != nil { throw directive.invalidParameter(1, known: ["stderr", "off"]) }
        let isStandardError = directive.isWord(1, "stderr")
        if isStandardError, directive.argumentCount > 1 {
            throw DirectiveError("\"\(directive.text(2))\" makes sense only for a file")
        }
        let path = isStandardError ? AppSettings.Log.standardError : reader.prefixed(directive.text(1))
        var log = AppSettings.Log(path: path)
        for index in 2..<directive.words.count {
            if let value = directive.value(index, after: "rotate="),
                let size = ValueParsing.size(value, allowsGiga: true), size > 0
            {
                // Less than a few lines would be gone before anybody reads them.
                guard size >= 4096 else { throw DirectiveError("\"rotate\" must be at least 4k") }
                log.rotateSize = size
            } else if let value = directive.value(index, after: "keep="), let count = ValueParsing.integer(value) {
                log.keep = count
            } else {
                throw directive.invalidValue(index, of: ["rotate=", "keep="])
            }
        }
        reader.scope.app?.log = log
    }
}

extension ConfigurationReader {
    /// `app NAME { }`.
    func readApp(_ directive: Directive) throws(DirectiveError) {
        let name = directive.text(1)
        let isPlain = !name.isEmpty && name.utf8.count <= AppSettings.nameBytesMax
            && name.utf8.allSatisfy { Self.isNameByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        guard isPlain, name.utf8.first != UInt8(ascii: "."), name.utf8.first != UInt8(ascii: "-") else {
            throw DirectiveError("""
                invalid app name "\(name)", it may have letters, digits, "_", "-" and ".", at most \(AppSettings.nameBytesMax)
                """)
        }
        if configuration.main.apps.contains(where: { $0.name == name }) {
            throw DirectiveError("duplicate app \"\(name)\"")
        }
        let child = BlockScope(context: .app, location: directive.location)
        child.app = AppSettings(name: name, location: directive.location)
        read(directive.children ?? [], in: child)
        guard var app = child.app else { return }
        app.saysWhereItListens = !child.isFirst("listen") || app.health != nil
        configuration.main.apps.append(app)
        if app.command.isEmpty, child.isFirst("command") {
            throw DirectiveError("no \"command\" is defined for app \"\(name)\"")
        }
        if case .fixed(let address) = app.listen, app.instances > 1 {
            throw DirectiveError(
                "app \"\(name)\" has \(app.instances) instances, but one fixed address \(address.text)")
        }
        if app.listen == .nowhere, app.health != nil {
            throw DirectiveError("app \"\(name)\" listens nowhere: there is nothing that \"health\" could ask")
        }
        if app.memoryMax ?? .max < app.memoryRecycle ?? 0 {
            throw DirectiveError("\"memory_recycle\" of app \"\(name)\" must be less than its \"memory_max\"")
        }
        if let match = app.health?.match {
            deferredToEnd.append { reader in
                guard !reader.http.matches.contains(where: { $0.name == match }) else { return }
                reader.report("unknown match \"\(match)\"", at: app.location, directive: "health")
            }
        }
    }

    private func isUsed(_ app: Int) -> Bool { http.upstreams.contains { $0.app == app } }

    /// Of two apps that bind one address, one could never start, or would get the other's requests.
    func checkAppAddresses() {
        let apps = configuration.main.apps
        for (index, app) in apps.enumerated() {
            guard case .fixed(let address) = app.listen, isUsed(index),
                let other = apps.indices.first(where: { $0 < index && apps[$0].listen == app.listen && isUsed($0) })
            else { continue }
            let former = apps[other]
            let owner = "app \"\(former.name)\" in \(former.location.file):\(former.location.line)"
            report("app \"\(app.name)\" has the address \(address.text), which is that of \(owner)", at: app.location, directive: "app")
        }
    }

    /// An app without an upstream runs in the background: no request reaches it.
    func settleUnusedApps() {
        for (index, app) in configuration.main.apps.enumerated() where app.listen != .nowhere {
            if isUsed(index) { continue }
            var text = "app \"\(app.name)\" is used by no upstream"
            if !app.saysWhereItListens {
                configuration.main.apps[index].listen = .nowhere
                text += ": it runs in the background, without $PORT; if that is meant, say \"listen none\""
            }
            diagnostics.append(Diagnostic(.warning, text, at: app.location, directive: "app"))
        }
    }
}
