import Testing

@testable import Config

@Suite("The directive table")
struct DirectiveTableTests {
    @Test("no directive stands twice for one context")
    func unique() {
        var seen: [String: DirectiveContext] = [:]
        for entry in DirectiveTable.entries {
            #expect(seen[entry.name, default: []].isDisjoint(with: entry.contexts), "\(entry.name)")
            seen[entry.name, default: []].formUnion(entry.contexts)
        }
    }

    @Test("every row says where it stands, what it belongs to, and why it is not implemented")
    func complete() {
        for entry in DirectiveTable.entries {
            #expect(!entry.contexts.names.isEmpty, "\(entry.name)")
            #expect(!entry.module.isEmpty, "\(entry.name)")
            switch entry.support {
            case .implemented: break
            case .acceptedWithNotice(let reason), .notSupportedYet(let reason), .never(let reason):
                #expect(reason.count > 10 && !reason.hasSuffix("."), "\(entry.name)")
            }
        }
    }

    @Test(
        "what nginx knows but Goodgate does not is said so",
        arguments: [
            ("server", "ssl_certificate a;", "\"ssl_certificate\" directive is known to nginx, but not supported by Goodgate yet: "),
            ("server", "listen 443 ssl;", "the \"ssl\" parameter of the \"listen\" directive is known to nginx, but not supported"),
            ("server", "listen 443 http2;", "the \"http2\" parameter of the \"listen\" directive is known to nginx"),
            ("server", "listen 443 quic;", "the \"quic\" parameter of the \"listen\" directive is known to nginx"),
            ("server", "http2 on;", "\"http2\" directive is known to nginx, but not supported by Goodgate yet: "),
            ("location", "fastcgi_pass a:9000;", "\"fastcgi_pass\" directive is known to nginx"),
            ("location", "auth_basic closed;", "\"auth_basic\" directive is known to nginx"),
            ("location", "proxy_cache z;", "\"proxy_cache\" directive is known to nginx"),
            ("location", "proxy_pass https://a;", "the value \"https://a\" of the \"proxy_pass\" directive is known to nginx"),
            ("location", "mirror /m;", "\"mirror\" directive is known to nginx"),
            ("location", "perl a;", "\"perl\" directive is known to nginx, but not supported by Goodgate: "),
            ("main", "stream { server { foo; } }", "\"stream\" directive is known to nginx, but not supported by Goodgate yet: "),
            ("main", "mail { }", "\"mail\" directive is known to nginx, but not supported by Goodgate: "),
        ])
    func unsupported(wrapping: String, snippet: String, beginning: String) throws {
        let outcome = parse(try #require(Wrapping(rawValue: wrapping)).around(snippet))
        #expect(outcome.errors.count == 1)
        #expect(outcome.diagnostics.first?.message.hasPrefix(beginning) == true)
    }

    @Test(
        "what changes nothing for a client is accepted with a notice",
        arguments: [
            ("http", "open_file_cache max=10;"), ("http", "server_names_hash_bucket_size 64;"), ("http", "aio threads;"),
            ("http", "ssl_protocols TLSv1.2 TLSv1.3;"), ("http", "ssl_prefer_server_ciphers on;"),
            ("http", "proxy_cache_path /x keys_zone=a:1m;"), ("location", "proxy_cache_valid 200 1m;"),
            ("location", "fastcgi_param A $nonsense;"), ("location", "fastcgi_temp_path /x;"), ("main", "pcre_jit on;"),
            ("main", "load_module modules/x.so;"), ("main", "worker_cpu_affinity auto;"), ("events", "multi_accept on;"),
            ("events", "use epoll;"), ("location", "directio 4m;"), ("location", "auth_basic_user_file f;"),
        ])
    func accepted(wrapping: String, snippet: String) throws {
        let outcome = parse(try #require(Wrapping(rawValue: wrapping)).around(snippet))
        #expect(outcome.errors == [])
        #expect(outcome.notices.count == 1)
    }

    @Test(
        "harmless values of refused directives are taken without a word",
        arguments: ["auth_basic off;", "proxy_cache off;", "mirror off;", "auth_request off;", "slice 0;", "userid off;"])
    func harmless(snippet: String) {
        #expect(parse(Wrapping.location.around(snippet)).diagnostics == [])
    }

    /// Arguments of many kinds, of which each directive refuses most: only the reason matters here.
    private static let guesses = [
        "", "on", "1", "10 4k", "name", "/path", "$a b", "~ x", "name zone=a:1m", "a b c", "http://127.0.0.1", "unix:/s", "200 text",
    ]

    @Test("what the table calls implemented is never refused as unsupported")
    func implemented() throws {
        for entry in DirectiveTable.entries where entry.support == .implemented {
            let context = try #require(Wrapping.allCases.first { entry.contexts.contains($0.context) } ?? nil, "\(entry.name)")
            for guess in Self.guesses {
                let outcome = parse(context.around("\(entry.name) \(guess) \(entry.isBlock ? "{ }" : ";")"))
                let refusals = outcome.errors.filter { $0.contains("\"\(entry.name)\" directive is known to nginx, but not") }
                #expect(refusals == [], "\(entry.name) \(guess)")
            }
        }
    }

    @Test("a value that is accepted of a refused directive is told of, and no other is accepted")
    func harmlessValues() {
        let rows = DirectiveTable.entries.filter { $0.harmlessValue != nil }
        #expect(rows.count == 13)
        for row in rows {
            guard case .notSupportedYet = row.support else {
                Issue.record("\(row.name) is said to be supported")
                continue
            }
        }
    }

    @Test(
        "a variable of nginx that is not there says why",
        arguments: ["fastcgi_script_name", "uid_got", "geoip_city", "jwt_claim_sub", "Slice_Range"])
    func unsupportedVariable(name: String) throws {
        let errors = parse(Wrapping.location.around("return 200 $\(name);")).errors
        let beginning = "5 \"\(name.lowercased())\" variable is known to nginx, but not supported by Goodgate yet: "
        #expect(errors.count == 1 && errors.first?.hasPrefix(beginning) == true, "\(errors)")
        #expect(parse(Wrapping.location.around("set $\(name) a; return 200 $\(name);")).errors == [], "it may be one's own")
    }

    @Test("no variable is both there and not there")
    func variablesOnce() {
        let names = Set(BuiltinVariable.allCases.map(\.rawValue))
        #expect(names.isDisjoint(with: UnsupportedVariable.reasons.keys))
        for name in names { #expect(UnsupportedVariable.reason(for: name) == nil) }
    }

    @Test("the rows of a name can be looked up for the documentation")
    func lookup() {
        #expect(DirectiveTable.entries(named: "server").map(\.contexts) == [[.http], [.upstream]])
        #expect(DirectiveTable.entries(named: "nonsense").isEmpty)
        #expect(DirectiveContext.inheritedAndIf.names == ["http", "server", "location", "if in location"])
    }

    @Test("every directive of nginx 1.31 is in the table", arguments: Self.nginxDirectives)
    func everyDirective(name: String) {
        #expect(!DirectiveTable.entries(named: name).isEmpty)
    }
}
