import Config
import Glibc
import Loop
import Machine
import Wire

/// The variables that the program itself computes.
extension Ref where Value == Request {
    func builtin(_ name: BuiltinVariable) -> ByteView? {
        switch name {
        case .request: return main.value.requestLine
        case .scheme: return "http"
        case .https: return ByteView()
        case .host: return hostVariable
        case .uri, .documentURI: return value.uri
        case .args, .queryString: return value.arguments.isEmpty ? nil : value.arguments
        case .isArguments: return value.arguments.isEmpty ? ByteView() : "?"
        case .pipe: return connection.value.requestCount > 1 && value.modules.isPipelined ? "p" : "."
        case .status: return decimal(statusForLog, width: 3)
        case .requestMethod: return main.value.methodName.isEmpty ? nil : main.value.methodName
        case .requestURI: return main.value.unparsedURI
        case .serverProtocol: return protocolText
        case .requestPort: return requestPort
        case .isRequestPort: return requestPort == nil ? ByteView() : ":"
        case .contentLength: return main.field(.contentLength)
        case .contentType: return findField("content_type", main.value.fields)
        case .httpCookie: return findField("cookie", main.value.fields)
        case .httpXForwardedFor: return findField("x_forwarded_for", main.value.fields)
        case .remoteUser: return remoteUser
        case .binaryRemoteAddress: return binaryAddress
        case .remoteAddress: return connection.peerText
        case .remotePort:
            // realip may have taken an address without a port.
            let peer = connection.value.peer
            return peer.isUnix || peer.port == 0 ? ByteView() : decimal(Int64(peer.port))
        case .serverAddress:
            let address = connection.localAddress
            return compose { address.append(to: $0, withPort: address.isUnix) }
        case .serverPort: return connection.localAddress.isUnix ? ByteView() : decimal(Int64(connection.localAddress.port))
        case .serverName: return server.value.name
        case .documentRoot: return documentRoot
        case .requestFilename: return requestFilename
        case .realPathRoot: return realPathRoot
        case .requestLength: return decimal(Int64(value.headLength) + value.body.received + value.body.framingLength)
        case .requestTime: return seconds(Int64(worker.now &- main.value.startedAt))
        case .requestCompletion: return value.phase == .finished && !value.isAborted && value.isResponseComplete ? "OK" : ByteView()
        case .requestID: return requestID
        case .requestBody: return (main.value.body.remembered?.view ?? main.value.body.inPlace).flatMap { $0.isEmpty ? nil : $0 }
        case .requestBodyFile: return main.value.body.filePath.isEmpty ? nil : main.value.body.filePath
        case .bytesSent: return decimal(value.bytesSent)
        case .bodyBytesSent: return decimal(max(0, value.bytesSent - value.headerSize))
        case .limitRate: return decimal(value.limitRate ?? 0)
        case .connection: return decimal(Int64(connection.value.serial))
        case .connectionRequests: return decimal(Int64(connection.value.requestCount))
        case .connectionTime: return seconds(Int64(worker.now &- connection.value.acceptedAt))
        case .hostName: return worker.value.identity.hostName
        case .nginxVersion: return "1.31.4"
        case .pid: return decimal(Int64(worker.value.identity.processID))
        case .msec: return seconds(worker.value.loop.wallClock)
        case .timeLocal: return worker.localTime
        case .timeISO8601: return worker.isoTime
        default: return upstreamBuiltin(name)
        }
    }

    private func upstreamBuiltin(_ name: BuiltinVariable) -> ByteView? {
        switch name {
        case .upstreamAddress: return attemptList { stat, out in out.append(stat.peer) }
        case .upstreamStatus: return attemptList { stat, out in if stat.status > 0 { out.append(decimal: stat.status) } else { out.append(0x2d) } }
        case .upstreamConnectTime: return attemptTimes { $0.connectTime }
        case .upstreamHeaderTime: return attemptTimes { $0.headerTime }
        case .upstreamResponseTime: return attemptTimes { $0.responseTime }
        case .upstreamResponseLength: return attemptList { stat, out in out.append(decimal: Int(stat.responseLength)) }
        case .upstreamBytesReceived: return attemptList { stat, out in out.append(decimal: Int(stat.bytesReceived)) }
        case .upstreamBytesSent: return attemptList { stat, out in out.append(decimal: Int(stat.bytesSent)) }
        case .upstreamQueueTime:
            guard let exchange = value.exchange, exchange.value.queueTime >= 0 else { return nil }
            return seconds(exchange.value.queueTime)
        case .upstreamReason:
            // No attempt was made, such as of a name that did not resolve: what kept the request from one.
            if value.attempts.isEmpty, main.value.failure.incident != nil { return ByteView(main.value.failure.reason.name) }
            return attemptList { stat, out in
                if let reason = stat.reason { out.append(ByteView(reason.name)) } else { out.append(0x2d) }
            }
        case .incidentID:
            guard let incident = main.value.failure.incident else { return nil }
            return compose { $0.append(incident) }
        case .attempts: return decimal(Int64(value.attempts.count))
        case .proxyHost: return value.modules.dynamicHost ?? location.value.proxy?.value.host
        case .proxyPort: return value.modules.dynamicPort ?? location.value.proxy?.value.port
        case .proxyAddXForwardedFor: return addXForwardedFor
        case .connectionsActive: return decimal(Int64(clamping: worker.totals().active))
        case .connectionsReading: return decimal(Int64(clamping: worker.totals().reading))
        case .connectionsWriting: return decimal(Int64(clamping: worker.totals().writing))
        case .connectionsWaiting: return decimal(Int64(clamping: worker.totals().waiting))
        default: return moduleBuiltin(name)
        }
    }

    var statusForLog: Int64 {
        if value.errorStatus > 0, !value.isHeaderSent { return Int64(value.errorStatus) }
        if value.response.status > 0 { return Int64(value.response.status) }
        return main.value.protocolName.isEmpty ? 9 : 0
    }

    private var hostVariable: ByteView { main.value.host ?? server.value.name }

    private var protocolText: ByteView? { main.value.protocolName.isEmpty ? nil : main.value.protocolName }

    private var requestPort: ByteView? { main.value.hostPort.map { decimal(Int64($0)) } }

    private var binaryAddress: ByteView {
        connection.value.peer.withAddressBytes { $0.isEmpty ? "unix:" : keep($0) }
    }

    private var addXForwardedFor: ByteView {
        guard let existing = findField("x_forwarded_for", main.value.fields) else { return connection.peerText }
        return compose { out in
            out.append(existing)
            out.append(", ")
            out.append(connection.peerText)
        }
    }

    private var remoteUser: ByteView? {
        guard let field = main.field(.authorization), field.count > 6, field.prefix(6).equalsIgnoringCase("basic ") else { return nil }
        var encoded = field.dropFirst(6)
        while encoded.first == 0x20 { encoded = encoded.dropFirst() }
        var decoded: ByteView?
        let chunk = value.arena.room(for: encoded.count + 4, pool)
        let start = chunk.value.end
        chunk.write(reserving: encoded.count + 4) { writer in
            guard Base64.decode(encoded, into: &writer) else { return writer.removeAll() }
        }
        decoded = chunk.whole[start..<chunk.value.end]
        guard let text = decoded, let colon = text.firstIndex(of: 0x3a), colon > 0 else { return nil }
        return text.prefix(colon)
    }

    var requestID: ByteView {
        if let known = main.value.modules.requestID { return known }
        let high = worker.value.random.next()
        let low = worker.value.random.next()
        let text = compose { out in
            out.append(paddedHexadecimal: high)
            out.append(paddedHexadecimal: low)
        }
        main.value.modules.requestID = main.keep(text)
        return main.value.modules.requestID!
    }

    // MARK: - Making values

    /// A value composed in a scratch buffer and kept in the arena.
    func compose(_ body: (Ref<Buffer>) -> Void) -> ByteView {
        let scratch = pool.value.take(1024)
        body(scratch)
        let result = keep(scratch.view)
        pool.value.give(scratch)
        return result
    }

    /// A value of at most `count` bytes, written where it stays: the chunk must not grow, since others look into it. Numbers are appended
    /// with room for 20 digits.
    @inline(__always)
    private func composeShort(_ count: Int, _ body: (Ref<Buffer>) -> Void) -> ByteView {
        let chunk = value.arena.room(for: count, pool)
        let start = chunk.value.end
        body(chunk)
        return chunk.whole[start..<chunk.value.end]
    }

    func decimal(_ number: Int64, width: Int = 1) -> ByteView {
        composeShort(64) { out in
            if width == 3, number >= 0, number < 100 { out.append(number < 10 ? "00" : "0") }
            out.append(decimal: Int(number))
        }
    }

    /// Milliseconds as seconds with three digits: `0.042`.
    func seconds(_ milliseconds: Int64) -> ByteView {
        composeShort(64) { $0.append(secondsFromMilliseconds: max(0, milliseconds)) }
    }

    /// A list over the attempts, as nginx prints it: `a, b : c`.
    private func attemptList(_ item: (AttemptStat, Ref<Buffer>) -> Void) -> ByteView? {
        guard !value.attempts.isEmpty else { return nil }
        let scratch = pool.value.take(1024)
        for index in value.attempts.indices {
            let stat = value.attempts[index]
            if index > 0 { scratch.append(stat.startsGroup ? " : " : ", ") }
            item(stat, scratch)
        }
        let result = keep(scratch.view)
        pool.value.give(scratch)
        return result
    }

    private func attemptTimes(_ time: (AttemptStat) -> Int64) -> ByteView? {
        attemptList { stat, out in
            let milliseconds = time(stat)
            if milliseconds < 0 { out.append(0x2d) } else { out.append(secondsFromMilliseconds: milliseconds) }
        }
    }
}

extension Ref where Value == Buffer {
    func append(secondsFromMilliseconds milliseconds: Int64) {
        append(decimal: UInt64(milliseconds / 1000))
        append(0x2e)
        let rest = UInt64(milliseconds % 1000)
        if rest < 100 { append(0x30) }
        if rest < 10 { append(0x30) }
        append(decimal: rest)
    }

    func append(paddedHexadecimal number: UInt64) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            append(hexadecimal: number >> shift & 15)
        }
    }
}
