import Config
import Loop
import Machine
import Wire

extension HTTPCompiler {
    mutating func compileProxy(_ location: Ref<Location>) {
        let settings = location.value.settings.value.proxy
        guard let pass = settings.pass else { return }
        var upstream: Ref<Upstream>?
        var target: CompiledText?
        switch pass.target {
        case .upstream(let index): upstream = upstreams[index]
        case .dynamic(let template):
            target = compile(template)
            location.value.resolver = resolver(location.value.settings.value.core.resolver)
        }
        var dropped = TokenSet()
        var droppedNames: [ByteView] = []
        let fields = proxyFields(settings, &dropped, &droppedNames)
        var hiddenTokens = TokenSet(.date, .server, .xPad, .xAccelExpires, .xAccelRedirect, .xAccelLimitRate, .xAccelBuffering, .xAccelCharset)
        hiddenTokens = removing(settings.passedHeaders, from: hiddenTokens)
        var hiddenNames: [ByteView] = []
        for name in settings.hiddenHeaders {
            let view = ByteView.immortal(name)
            let token = HeaderToken.lookup(view)
            if token == .unknown { hiddenNames.append(view) } else { hiddenTokens.insert(token) }
        }
        let retry = RetrySettings(
            conditions: settings.nextUpstream.conditions, timeout: Int64(settings.nextUpstreamTimeout), tries: settings.nextUpstreamTries)
        let redirects: Bool = if case .off = settings.redirects { false } else { true }
        location.value.proxy = Ref.immortal(ProxyRuntime(
            upstream: upstream, target: target, uri: pass.uri.map { ByteView.immortal($0) }, replacedPrefixLength: pass.replacedPrefixLength,
            host: ByteView.immortal(pass.authority), port: ByteView.immortal(pass.portText),
            scheme: pass.scheme.isEmpty ? "http" : ByteView.immortal(pass.scheme), url: ByteView.immortal(pass.url),
            fields: FixedList(fields), dropped: dropped,
            droppedNames: FixedList(droppedNames), hiddenTokens: hiddenTokens, hiddenNames: FixedList(hiddenNames),
            method: settings.method.map { compile($0) }, body: settings.body.map { compile($0) }, usesHTTP11: settings.httpVersion != .http10,
            passesHeaders: settings.passesRequestHeaders, passesBody: settings.passesRequestBody, isBuffering: settings.isBuffering,
            isRequestBuffering: settings.isRequestBuffering, bufferSize: settings.bufferSize,
            buffersTotal: settings.bufferCount * settings.buffersSize, tempFileSizeMax: Int64(settings.tempFileSizeMax),
            connectTimeout: UInt64(settings.connectTimeout), sendTimeout: UInt64(settings.sendTimeout), readTimeout: UInt64(settings.readTimeout),
            retry: retry, interceptsErrors: settings.interceptsErrors, ignoresClientAbort: settings.ignoresClientAbort, redirects: redirects,
            rewritesCookies: !settings.cookieDomains.isEmpty || !settings.cookiePaths.isEmpty || !settings.cookieFlags.isEmpty,
            ignored: IgnoredFields(settings.ignoredHeaders), tag: location.value.id + 1,
            setsUpgrade: settings.setHeaders.contains { HeaderToken.lookup(ByteView.immortal($0.name)) == .upgrade },
            replaysWithKey: settings.replaysWithIdempotencyKey))
    }

    /// proxy_set_header first, then nginx's defaults for names it does not set.
    private func proxyFields(_ settings: ProxySettings, _ dropped: inout TokenSet, _ droppedNames: inout [ByteView]) -> [ProxyField] {
        var fields: [ProxyField] = []
        dropped = TokenSet(.host, .connection, .contentLength, .transferEncoding, .te, .keepAlive, .expect, .upgrade, .proxyConnection)
        var seen = TokenSet()
        for field in settings.setHeaders {
            let name = ByteView.immortal(field.name)
            let token = HeaderToken.lookup(name)
            if token == .unknown { droppedNames.append(name) } else {
                dropped.insert(token)
                seen.insert(token)
            }
            let text = compile(field.value)
            let isFraming = token == .contentLength || token == .transferEncoding
            if text.isEmptyConstant, !isFraming { continue }
            fields.append(ProxyField(
                name: name, prefix: ByteView.immortal(field.name + Array(": ".utf8)), text: text, isContentLength: token == .contentLength,
                isTransferEncoding: token == .transferEncoding))
        }
        if !seen.contains(.host) { fields.insert(standard("Host", proxyHostText(settings)), at: 0) }
        if !seen.contains(.connection), settings.httpVersion == .http10 { fields.append(standard("Connection", CompiledText(constant: "close"))) }
        if !seen.contains(.contentLength) {
            fields.append(ProxyField(
                name: "Content-Length", prefix: "Content-Length: ", text: nil, isContentLength: true, isTransferEncoding: false))
        }
        if !seen.contains(.transferEncoding) {
            fields.append(ProxyField(
                name: "Transfer-Encoding", prefix: "Transfer-Encoding: ", text: nil, isContentLength: false, isTransferEncoding: true))
        }
        return fields
    }

    private func standard(_ name: StaticString, _ text: CompiledText) -> ProxyField {
        let view = ByteView(name)
        return ProxyField(
            name: view, prefix: ByteView.immortal(view.array + Array(": ".utf8)), text: text, isContentLength: false, isTransferEncoding: false)
    }

    /// `$proxy_host` where it is known now, else the variable.
    private func proxyHostText(_ settings: ProxySettings) -> CompiledText {
        if case .upstream = settings.pass!.target { return CompiledText(constant: ByteView.immortal(settings.pass!.authority)) }
        if let index = variables.firstIndex(where: { $0.kind == .builtin && $0.builtin == .proxyHost }) {
            return CompiledText(parts: [.variable(Int32(index))])
        }
        return CompiledText(parts: [])
    }

    private func removing(_ names: [[UInt8]], from set: TokenSet) -> TokenSet {
        let passed = names.map { HeaderToken.lookup(ByteView.immortal($0)) }
        var result = TokenSet()
        for raw in UInt8(1)..<UInt8(HeaderToken.count) {
            let token = HeaderToken(rawValue: raw)
            if set.contains(token), !passed.contains(token) { result.insert(token) }
        }
        return result
    }
}

extension NextUpstream {
    /// The same set in the retry policy's words.
    var conditions: RetryConditions {
        var result: RetryConditions = []
        if contains(.error) { result.insert(.error) }
        if contains(.timeout) { result.insert(.timeout) }
        if contains(.invalidHeader) { result.insert(.invalidHeader) }
        if contains(.http500) { result.insert(.http500) }
        if contains(.http502) { result.insert(.http502) }
        if contains(.http503) { result.insert(.http503) }
        if contains(.http504) { result.insert(.http504) }
        if contains(.http403) { result.insert(.http403) }
        if contains(.http404) { result.insert(.http404) }
        if contains(.http429) { result.insert(.http429) }
        if contains(.nonIdempotent) { result.insert(.nonIdempotent) }
        return contains(.off) ? [] : result
    }
}

extension SocketAddress {
    /// The kernel's form of a configured address; nil for a unix path that is too long.
    init?(_ address: NetworkAddress) {
        switch address {
        case .ipv4(let bits, let port): self.init(IPAddress(low: UInt64(bits), port: port, isIPv6: false))
        case .ipv6(let high, let low, let port): self.init(IPAddress(high: high, low: low, port: port, isIPv6: true))
        case .unix(let path): self.init(unix: path)
        }
    }
}
