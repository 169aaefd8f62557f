extension ConfigurationReader {
    /// `proxy_pass URL;`
    func proxyPass(_ directive: Directive) throws(DirectiveError) {
        let url = directive[1]
        scope.settings.handler = .proxy
        if scope.context == .location, let path = scope.match?.path, path.last == UInt8(ascii: "/") {
            scope.redirectsToSlash = true
        }
        if url.contains(UInt8(ascii: "$")) {
            let template = try template(url, at: directive.location)
            scope.settings.proxy.pass = ProxyPass(target: .dynamic(template), url: url, location: directive.location)
            return
        }
        let lower = lowercased(url)
        if lower.starts(with: "https://".utf8) { throw Unsupported.value(directive, Unsupported.tls) }
        guard lower.starts(with: "http://".utf8) else { throw DirectiveError("invalid URL prefix") }
        let rest = Bytes(url.dropFirst(7))
        let host = try address(
            rest, HostPort.Rules(allowsURI: true), in: "upstream \"\(String(decoding: rest, as: UTF8.self))\"")
        let index = try upstream(for: host, text: rest, at: directive.location)
        var pass = ProxyPass(target: .upstream(index), url: url, location: directive.location)
        pass.scheme = Bytes("http".utf8)
        describe(host, in: &pass)
        try setURI(host.uri, in: &pass)
        scope.settings.proxy.pass = pass
    }

    /// nginx's `$proxy_host` and `$proxy_port`.
    private func describe(_ host: HostPort, in pass: inout ProxyPass) {
        if case .literal(.unix) = host.address {
            pass.authority = Bytes("localhost".utf8)
        } else if host.hasPort, host.port != 80 {
            pass.authority = host.host + [UInt8(ascii: ":")] + host.portText
            pass.portText = host.portText
        } else {
            pass.authority = host.host
            pass.portText = Bytes("80".utf8)
        }
    }

    private func setURI(_ uri: Bytes, in pass: inout ProxyPass) throws(DirectiveError) {
        let path = scope.isNameless ? nil : scope.match?.path
        pass.replacedPrefix = path ?? []
        guard !uri.isEmpty else { return }
        guard path != nil else {
            throw DirectiveError(
                "\"proxy_pass\" cannot have URI part in location given by regular expression, or inside named location, "
                    + "or inside \"if\" statement, or inside \"limit_except\" block")
        }
        pass.uri = uri
    }

    /// The group of that name, or one that the literal host implies.
    private func upstream(
        for host: HostPort, text: Bytes, at location: SourceLocation
    ) throws(DirectiveError) -> Int {
        let name = String(decoding: host.host, as: UTF8.self)
        let key = name.lowercased()
        for index in upstreamIndices[key] ?? [] {
            let known = http.upstreams[index]
            if !known.isImplicit {
                if host.hasPort { throw DirectiveError("upstream \"\(name)\" may not have port \(host.port)") }
                return index
            }
            if known.implicitPort == host.port { return index }
        }
        var upstream = UpstreamSettings(name: name, location: location)
        upstream.isImplicit = true
        upstream.implicitPort = host.port
        upstream.keepalive = nil
        let written = host.uri.isEmpty ? text : Bytes(text.dropLast(host.uri.count + (isUnix(host) ? 1 : 0)))
        var server = UpstreamServer(location: location, text: written, address: host.address)
        guard let found = addresses(of: host.address) else {
            throw DirectiveError("host not found in upstream \"\(name)\"")
        }
        server.resolved = found
        upstream.servers = [server]
        http.upstreams.append(upstream)
        upstreamIndices[key, default: []].append(http.upstreams.count - 1)
        return http.upstreams.count - 1
    }

    private func isUnix(_ host: HostPort) -> Bool {
        if case .literal(.unix) = host.address { return true }
        return false
    }

    /// nginx's checks of buffer sizes, and what `proxy_redirect` amounts to.
    func finishProxy() {
        let proxy = scope.settings.proxy
        let names = [
            "proxy_buffers", "proxy_buffer_size", "proxy_busy_buffers_size", "proxy_temp_file_write_size", "proxy_max_temp_file_size",
        ]
        // Where nothing of it is said, the parent was checked already.
        if names.contains(where: { !scope.isFirst($0) }), let mistake = Self.bufferMistake(proxy) {
            // The directive itself, or the one of the block that does not go with it.
            let place = ([mistake.directive] + names).compactMap { scope.seen[$0] }.first
            report(mistake.message, at: place ?? scope.location, directive: mistake.directive)
        }
        switch proxy.redirects {
        case .off: scope.settings.proxy.redirectRules = []
        case .rules(let rules): scope.settings.proxy.redirectRules = rules
        case .standard: scope.settings.proxy.redirectRules = proxy.pass?.standardRedirect.map { [$0] } ?? []
        }
    }

    private static func bufferMistake(_ proxy: ProxySettings) -> (directive: String, message: String)? {
        let size = max(proxy.bufferSize, proxy.buffersSize)
        let larger = "the maximum of the value of \"proxy_buffer_size\" and one of the \"proxy_buffers\""
        if proxy.bufferCount < 2 { return ("proxy_buffers", "there must be at least 2 \"proxy_buffers\"") }
        if proxy.effectiveBusyBuffersSize < size {
            return ("proxy_busy_buffers_size", "\"proxy_busy_buffers_size\" must be equal to or greater than \(larger)")
        }
        let (most, overflow) = (proxy.bufferCount - 1).multipliedReportingOverflow(by: proxy.buffersSize)
        if !overflow, proxy.effectiveBusyBuffersSize > most {
            return (
                "proxy_busy_buffers_size",
                "\"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer"
            )
        }
        if proxy.effectiveTempFileWriteSize < size {
            return ("proxy_temp_file_write_size", "\"proxy_temp_file_write_size\" must be equal to or greater than \(larger)")
        }
        if proxy.tempFileSizeMax != 0, proxy.tempFileSizeMax < size {
            return (
                "proxy_max_temp_file_size",
                "\"proxy_max_temp_file_size\" must be equal to zero to disable temporary files usage "
                    + "or must be equal to or greater than \(larger)"
            )
        }
        return nil
    }
}
