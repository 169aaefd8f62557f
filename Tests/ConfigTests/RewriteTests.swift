import Testing

@testable import Config

@Suite("Rewrite programs, templates and variables are compiled once")
struct RewriteTests {
    private func program(_ snippet: String) throws -> (Configuration, [RewriteInstruction]) {
        let outcome = parse(Wrapping.server.around(snippet))
        #expect(outcome.errors == [])
        let configuration = try #require(outcome.configuration)
        return (configuration, configuration.server.rewrite.instructions)
    }

    private func rule(_ snippet: String) throws -> (Configuration, RewriteRule) {
        let (configuration, program) = try program(snippet)
        guard case .rewrite(let rule)? = program.first else { throw NotFound() }
        return (configuration, rule)
    }

    private struct NotFound: Error {}

    @Test("a rewrite without flag keeps the request's arguments and goes on")
    func plainRewrite() throws {
        let (configuration, rule) = try rule("rewrite ^/a/(.*)$ /b/$1;")
        #expect(configuration.text(rule.replacement) == "/b/$1")
        #expect(configuration[rule.pattern].info.captureCount == 1)
        #expect(rule.flag == .none)
        #expect(rule.arguments == nil)
        #expect(rule.appendsRequestArguments)
        #expect(!rule.hasQuestionMark)
        #expect(!rule.isAbsoluteRedirect)
    }

    @Test("arguments of a replacement are taken apart, a ? at its end drops the request's")
    func rewriteArguments() throws {
        let (configuration, rule) = try rule("rewrite ^ /b?x=$1&y=$uri? last;")
        #expect(configuration.text(rule.replacement) == "/b")
        #expect(configuration.text(rule.arguments) == "x=$1&y=$uri")
        #expect(!rule.appendsRequestArguments)
        #expect(rule.flag == .last)
    }

    @Test("a redirect keeps its arguments in the URL")
    func redirect() throws {
        let (configuration, rule) = try rule("rewrite ^ /b?x=1 permanent;")
        #expect(configuration.text(rule.replacement) == "/b?x=1")
        #expect(rule.arguments == nil)
        #expect(rule.hasQuestionMark)
        #expect(rule.appendsRequestArguments)
    }

    @Test("an absolute URL is a redirect", arguments: ["http://a/", "https://a/", "$scheme://a/"])
    func absolute(url: String) throws {
        let (configuration, rule) = try rule("rewrite ^ \(url);")
        #expect(rule.isAbsoluteRedirect)
        #expect(configuration.text(rule.replacement) == url)
    }

    @Test(
        "return takes a code, a code with text, or a URL",
        arguments: [
            ("return 204;", 204, nil), ("return 200 hi$uri;", 200, "hi$uri"), ("return 301 /b;", 301, "/b"),
            ("return https://a$request_uri;", 302, "https://a$request_uri"), ("return 200 \"\";", 200, ""),
        ] as [(String, Int, String?)])
    func returns(snippet: String, status: Int, text: String?) throws {
        let (configuration, program) = try program(snippet)
        guard case .return(let result)? = program.first else { throw NotFound() }
        #expect(result.status == status)
        #expect(configuration.text(result.text) == text)
    }

    @Test("directives and if blocks stay in their order")
    func order() throws {
        let (configuration, program) = try program("set $a 1; if ($a) { set $b 2; break; } set $a 3; return 200;")
        #expect(program.count == 4)
        guard case .set(let first, _) = program[0], case .ifBlock(let condition, let settings, let body) = program[1],
            case .set = program[2], case .return = program[3]
        else { throw NotFound() }
        #expect(configuration[first].name == "a")
        #expect(condition == .isSet(first))
        #expect(settings == nil)
        #expect(body.count == 2)
        #expect(body.last == .breakOut)
    }

    @Test(
        "conditions",
        arguments: [
            ("($uri)", "isSet"), ("( $uri )", "isSet"), ("($uri = a)", "equal"), ("($uri != \"\")", "notEqual"),
            ("($uri ~ ^/a)", "matches"), ("($uri ~* \"^/(a|b)$\")", "matches"), ("($uri !~ a)", "doesNotMatch"),
            ("($uri !~* a)", "doesNotMatch"), ("(-f $request_filename)", "file"), ("(!-d $uri)", "file"),
            ("(-e $uri)", "file"), ("(!-x /a)", "file"),
        ])
    func conditions(text: String, kind: String) throws {
        let (_, program) = try program("if \(text) { return 1; }")
        guard case .ifBlock(let condition, _, _)? = program.first else { throw NotFound() }
        #expect("\(condition)".hasPrefix(kind))
    }

    @Test("templates join text, variables in both notations, and captures")
    func templates() throws {
        let (configuration, program) = try program("return 200 \"a${uri}b$arg_x-$1$Host\";")
        guard case .return(let result)? = program.first else { throw NotFound() }
        #expect(configuration.text(result.text) == "a$urib$arg_x-$1$host")
        #expect(result.text?.parts.count == 7)
    }

    @Test("text without variables is constant")
    func constants() throws {
        #expect(Template(literal: bytes("a")).constant == bytes("a"))
        #expect(Template().constant == [])
        #expect(Template(parts: [.variable(VariableID(0))]).constant == nil)
    }

    @Test(
        "families of variables carry their name",
        arguments: [
            ("http_x_y", VariableKind.requestHeader(bytes("x_y"))), ("sent_http_a", .sentHeader(bytes("a"))),
            ("sent_trailer_a", .sentTrailer(bytes("a"))), ("upstream_http_a", .upstreamHeader(bytes("a"))),
            ("upstream_trailer_a", .upstreamTrailer(bytes("a"))), ("upstream_cookie_a", .upstreamCookie(bytes("a"))),
            ("cookie_A", .cookie(bytes("a"))), ("arg_q", .argument(bytes("q"))), ("arg_", .argument([])),
            ("proxy_protocol_tlv_alpn", .proxyProtocolTLV(.type(1))),
            ("proxy_protocol_tlv_0x000ae", .proxyProtocolTLV(.type(0xAE))),
            ("proxy_protocol_tlv_ssl_cn", .proxyProtocolTLV(.sslType(0x22))),
            ("proxy_protocol_tlv_ssl_verify", .proxyProtocolTLV(.sslVerify)),
            ("proxy_protocol_tlv_zzz", .proxyProtocolTLV(.unknown)),
            ("sent_http_location", .builtin(.sentLocation)), ("http_cookie", .builtin(.httpCookie)),
            ("upstream_reason", .builtin(.upstreamReason)), ("is_args", .builtin(.isArguments)),
        ])
    func families(name: String, kind: VariableKind) throws {
        let (configuration, _) = try program("return 200 $\(name);")
        let entry = try #require(configuration.variables.entries.first { $0.name == name.lowercased() })
        #expect(entry.kind == kind)
    }

    @Test("each variable stands once in the table, whatever its case")
    func onceEach() throws {
        let (configuration, _) = try program("set $a $URI$uri; set $A ${uri};")
        #expect(configuration.variables.entries.filter { $0.name == "a" }.count == 1)
        #expect(configuration.variables.entries.filter { $0.name == "uri" }.count == 1)
        #expect(configuration.variables.entries.first { $0.name == "a" }?.kind == .set)
    }

    @Test("set may assign a map's variable and the builtins that nginx lets change")
    func assignment() throws {
        let outcome = parse(
            "events { }\nhttp { map $uri $m { default 1; } server { set $m 2; set $args x; set $limit_rate 1k; "
                + "set $proxy_host a; set $http_x_foo 1; } }")
        #expect(outcome.errors == [])
        let entries = try #require(outcome.configuration).variables.entries
        let map = try #require(entries.first { $0.name == "m" })
        #expect(map.kind == .map(0))
        #expect(map.isAssigned)
        #expect(entries.first { $0.name == "http_x_foo" }?.kind == .requestHeader(bytes("x_foo")))
    }

    @Test("named groups define variables and are listed with the expression")
    func namedGroups() throws {
        let outcome = parse("events { }\nhttp { server { server_name ~^(?<sub>.+)\\.(x)$; return 200 $sub; } }")
        #expect(outcome.errors == [])
        let configuration = try #require(outcome.configuration)
        let pattern = try #require(configuration.patterns.first)
        #expect(pattern.namedVariables.map(\.capture) == [1])
        #expect(configuration[pattern.namedVariables[0].variable].kind == .namedCapture)
    }

    @Test("equal expressions share one entry, but for case")
    func sharedPatterns() throws {
        let (configuration, _) = try program("if ($uri ~ a) { } if ($args ~ a) { } if ($uri ~* a) { }")
        #expect(configuration.patterns.count == 2)
    }

    @Test("the builtin variables of nginx are all there")
    func builtins() {
        let names = """
            content_length content_type host binary_remote_addr remote_addr remote_port proxy_protocol_addr
            proxy_protocol_port proxy_protocol_server_addr proxy_protocol_server_port server_addr server_port
            server_protocol scheme https request_port is_request_port request_uri uri document_uri request document_root
            realpath_root query_string args is_args request_filename server_name request_method remote_user bytes_sent
            body_bytes_sent pipe request_completion request_body request_body_file request_length request_time request_id
            status limit_rate connection connection_requests connection_time nginx_version hostname pid msec time_iso8601
            time_local tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space upstream_addr upstream_status
            upstream_connect_time upstream_header_time upstream_response_time upstream_response_length
            upstream_bytes_received upstream_bytes_sent upstream_cache_status proxy_host proxy_port
            proxy_add_x_forwarded_for proxy_add_via realip_remote_addr realip_remote_port limit_req_status limit_conn_status
            gzip_ratio date_local date_gmt connections_active connections_reading connections_writing connections_waiting
            invalid_referer http2 ssl_protocol ssl_client_verify
            """.split(whereSeparator: \.isWhitespace)
        for name in names {
            #expect(BuiltinVariable(rawValue: String(name)) != nil, "\(name)")
        }
    }
}
