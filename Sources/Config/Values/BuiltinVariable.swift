/// The variables that the program itself computes. Raw values are the names without `$`.
package enum BuiltinVariable: String, CaseIterable, Hashable, Sendable {
    // Request line and head.
    case request, scheme, https, host, uri, args, pipe, status
    case requestMethod = "request_method", requestURI = "request_uri", documentURI = "document_uri"
    case queryString = "query_string", isArguments = "is_args", serverProtocol = "server_protocol"
    case requestPort = "request_port", isRequestPort = "is_request_port"
    case contentLength = "content_length", contentType = "content_type"
    case httpCookie = "http_cookie", httpXForwardedFor = "http_x_forwarded_for"
    case remoteUser = "remote_user"
    // Client and server addresses.
    case binaryRemoteAddress = "binary_remote_addr", remoteAddress = "remote_addr", remotePort = "remote_port"
    case realIPRemoteAddress = "realip_remote_addr", realIPRemotePort = "realip_remote_port"
    case serverAddress = "server_addr", serverPort = "server_port", serverName = "server_name"
    case proxyProtocolAddress = "proxy_protocol_addr", proxyProtocolPort = "proxy_protocol_port"
    case proxyProtocolServerAddress = "proxy_protocol_server_addr"
    case proxyProtocolServerPort = "proxy_protocol_server_port"
    // Files.
    case documentRoot = "document_root", realPathRoot = "realpath_root", requestFilename = "request_filename"
    // Body, sizes, times.
    case requestBody = "request_body", requestBodyFile = "request_body_file", requestLength = "request_length"
    case requestTime = "request_time", requestCompletion = "request_completion", requestID = "request_id"
    case bytesSent = "bytes_sent", bodyBytesSent = "body_bytes_sent", limitRate = "limit_rate"
    case gzipRatio = "gzip_ratio"
    // Connection.
    case connection, connectionRequests = "connection_requests", connectionTime = "connection_time"
    case tcpInfoRTT = "tcpinfo_rtt", tcpInfoRTTVariance = "tcpinfo_rttvar"
    case tcpInfoSendWindow = "tcpinfo_snd_cwnd", tcpInfoReceiveSpace = "tcpinfo_rcv_space"
    // Response head fields that are not found in the list of fields.
    case sentContentType = "sent_http_content_type", sentContentLength = "sent_http_content_length"
    case sentLocation = "sent_http_location", sentLastModified = "sent_http_last_modified"
    case sentConnection = "sent_http_connection", sentKeepAlive = "sent_http_keep_alive"
    case sentTransferEncoding = "sent_http_transfer_encoding"
    // Process and clock.
    case nginxVersion = "nginx_version", hostName = "hostname", pid, msec
    case timeISO8601 = "time_iso8601", timeLocal = "time_local", dateLocal = "date_local", dateGMT = "date_gmt"
    // Upstream.
    case upstreamAddress = "upstream_addr", upstreamStatus = "upstream_status"
    case upstreamConnectTime = "upstream_connect_time", upstreamHeaderTime = "upstream_header_time"
    case upstreamResponseTime = "upstream_response_time", upstreamResponseLength = "upstream_response_length"
    case upstreamBytesReceived = "upstream_bytes_received", upstreamBytesSent = "upstream_bytes_sent"
    case upstreamCacheStatus = "upstream_cache_status", upstreamQueueTime = "upstream_queue_time"
    case proxyHost = "proxy_host", proxyPort = "proxy_port"
    case proxyAddXForwardedFor = "proxy_add_x_forwarded_for", proxyAddVia = "proxy_add_via"
    // Verdicts (our own).
    case upstreamReason = "upstream_reason", incidentID = "incident_id", attempts
    // Modules.
    case limitRequestsStatus = "limit_req_status", limitConnectionsStatus = "limit_conn_status"
    case invalidReferer = "invalid_referer"
    case connectionsActive = "connections_active", connectionsReading = "connections_reading"
    case connectionsWriting = "connections_writing", connectionsWaiting = "connections_waiting"
    // HTTP/2 and TLS: known, and not found until those exist.
    case http2, http3
    case tlsProtocol = "ssl_protocol", tlsCipher = "ssl_cipher", tlsCiphers = "ssl_ciphers", tlsCurve = "ssl_curve"
    case tlsCurves = "ssl_curves", tlsSessionID = "ssl_session_id", tlsSessionReused = "ssl_session_reused"
    case tlsServerName = "ssl_server_name", tlsEarlyData = "ssl_early_data"
    case tlsALPNProtocol = "ssl_alpn_protocol", tlsSignatureAlgorithm = "ssl_sigalg"
    case tlsClientCertificate = "ssl_client_cert", tlsClientRawCertificate = "ssl_client_raw_cert"
    case tlsClientEscapedCertificate = "ssl_client_escaped_cert", tlsClientSubject = "ssl_client_s_dn"
    case tlsClientIssuer = "ssl_client_i_dn", tlsClientSubjectLegacy = "ssl_client_s_dn_legacy"
    case tlsClientIssuerLegacy = "ssl_client_i_dn_legacy", tlsClientSerial = "ssl_client_serial"
    case tlsClientFingerprint = "ssl_client_fingerprint", tlsClientVerify = "ssl_client_verify"
    case tlsClientValidFrom = "ssl_client_v_start", tlsClientValidUntil = "ssl_client_v_end"
    case tlsClientValidDays = "ssl_client_v_remain", tlsClientSignatureAlgorithm = "ssl_client_sigalg"

    /// Whether `set` may change it.
    package var isChangeable: Bool {
        switch self {
        case .args, .limitRate, .proxyHost, .proxyPort: true
        default: false
        }
    }

    /// Whether it must be computed anew at each use, as its value changes during a request.
    package var isVolatile: Bool {
        switch self {
        case .uri, .documentURI, .documentRoot, .realPathRoot, .queryString, .args, .isArguments, .requestFilename,
            .requestMethod, .requestLength, .requestTime, .status, .bytesSent, .bodyBytesSent, .limitRate, .connectionTime,
            .msec, .timeISO8601, .timeLocal, .dateLocal, .dateGMT, .tcpInfoRTT, .tcpInfoRTTVariance, .tcpInfoSendWindow,
            .tcpInfoReceiveSpace, .upstreamAddress, .upstreamStatus, .upstreamConnectTime, .upstreamHeaderTime,
            .upstreamResponseTime, .upstreamResponseLength, .upstreamBytesReceived, .upstreamBytesSent,
            .upstreamCacheStatus, .upstreamQueueTime, .proxyHost, .proxyPort, .upstreamReason, .incidentID, .attempts,
            .limitRequestsStatus, .limitConnectionsStatus, .connectionsActive, .connectionsReading, .connectionsWriting,
            .connectionsWaiting, .requestCompletion, .requestBody, .requestBodyFile, .gzipRatio:
            true
        default: false
        }
    }

    /// Whether it is about TLS, HTTP/2 or HTTP/3 and hence never found yet.
    package var isUnavailable: Bool {
        self == .http2 || self == .http3 || self == .upstreamCacheStatus || rawValue.hasPrefix("ssl_")
    }
}
