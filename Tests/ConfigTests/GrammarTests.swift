import Testing

@testable import Config

@Suite("The grammar is nginx's")
struct GrammarTests {
    /// The words of each statement, with `{` and `}` for blocks.
    private func statements(_ text: String) throws -> [[String]] {
        var lexer = Lexer(bytes(text))
        var result: [[String]] = []
        while true {
            switch try lexer.next() {
            case .simple(let words): result.append(words.map(string))
            case .blockStart(let words): result.append(words.map(string) + ["{"])
            case .blockEnd: result.append(["}"])
            case .end: return result
            }
        }
    }

    @Test(
        "words are split as nginx splits them",
        arguments: [
            ("a b  c;", [["a", "b", "c"]]),
            ("a\tb\r\nc;", [["a", "b", "c"]]),
            ("a;b;", [["a"], ["b"]]),
            ("a{b;}", [["a", "{"], ["b"], ["}"]]),
            ("a \"b c\" 'd;e' ;", [["a", "b c", "d;e"]]),
            ("a \"\";", [["a", ""]]),
            ("a b\\ c;", [["a", "b\\ c"]]),
            ("a b\\;c;", [["a", "b\\;c"]]),
            ("a \"b\\\"c\\\\d\";", [["a", "b\"c\\d"]]),
            ("a \"\\t\\r\\n\\x\";", [["a", "\t\r\n\\x"]]),
            ("a ${b}c;", [["a", "${b}c"]]),
            ("a $b{ c; }", [["a", "$b", "{"], ["c"], ["}"]]),
            ("a b${c}{ d; }", [["a", "b${c}", "{"], ["d"], ["}"]]),
            ("a b#c; # d;\ne;", [["a", "b#c"], ["e"]]),
            ("# only a comment", []),
            ("a # comment\n b;", [["a", "b"]]),
            ("a b}c;", [["a", "b}c"]]),
            ("if ($a = \"b\") { c; }", [["if", "($a", "=", "b", ")", "{"], ["c"], ["}"]]),
            ("\u{FEFF}a;", [["a"]]),
            ("location ~ ^/(a|b){2}$ { c; }", [["location", "~", "^/(a|b)", "{"], ["2}$", "{"], ["c"], ["}"]]),
            ("location ~ \"^/(a|b){2}$\" { c; }", [["location", "~", "^/(a|b){2}$", "{"], ["c"], ["}"]]),
        ] as [(String, [[String]])])
    func words(text: String, expected: [[String]]) throws {
        #expect(try statements(text) == expected)
    }

    @Test("a word of 4,095 bytes is taken, one of 4,096 is not, quoted or not")
    func longWords() {
        let long = String(repeating: "x", count: 4_095)
        #expect(parse("events { }\nenv \(long);\n").errors == [])
        #expect(
            parse("events { }\nenv \(long)x;\nfoo;\n").errors
                == ["2 too long parameter \"xxxxxxxxxx...\" started", "3 unknown directive \"foo\""])
        #expect(parse("events { }\nenv '\(long)';\n").errors == [])
        #expect(
            parse("events { }\nenv '\(long)x';\n").errors
                == ["2 too long parameter, probably missing terminating \"'\" character"])
    }

    @Test("a comment may be longer than a word")
    func longComment() {
        #expect(parse("# \(String(repeating: "x", count: 10_000))\nevents { }\n").errors == [])
    }

    @Test("the line of a statement is that of its end, as nginx says it")
    func lineOfLongStatement() {
        #expect(parse("events { }\nfoo\n  bar\n  baz;\n").errors == ["4 unknown directive \"foo\""])
    }

    @Test("an unclosed block is reported at the end of the file and its content still checked")
    func unclosedBlock() {
        #expect(
            parse("events { }\nhttp {\nfoo;\n").errors
                == ["3 unknown directive \"foo\"", "4 unexpected end of file, expecting \"}\""])
    }

    @Test(
        "a forgotten \";\" or brace is one error, and what follows is read as it stands",
        arguments: [
            ("server { location / { proxy_pass http://127.0.0.1:1 } } server { listen 81; }", ["3 unexpected \"}\""]),
            ("server { listen 80 } upstream u { server 127.0.0.1 } server { proxy_set_header A $b; set $b 1 }",
                ["3 unexpected \"}\"", "3 unexpected \"}\"", "3 unexpected \"}\""]),
            ("map $uri $v { \"a\"b; } server { return 200 $w; }",
                ["3 unexpected \"b\""]),
            ("upstream u { server \"127.0.0.1\"x; }", ["3 unexpected \"x\""]),
            ("upstream u { server; }", ["3 invalid number of arguments in \"server\" directive"]),
            ("upstream u { servr a; }", ["3 unknown directive \"servr\""]),
            ("upstream u { zone z 64k; }", ["3 no servers are inside upstream"]),
            ("server { location / { root /a; } \nserver { }\nserver { }\n",
                ["4 \"server\" directive is not allowed here", "8 unexpected end of file, expecting \"}\""]),
            ("server { } }\nserver { }\nserver { }\n", ["4 \"server\" directive is not allowed here", "7 unexpected \"}\""]),
        ])
    func oneMistake(http: String, errors: [String]) {
        #expect(parse("events { }\nhttp {\n\(http)\n}\n").errors == errors)
    }

    @Test("a quote that never ends is reported at the end of the file")
    func unclosedQuote() {
        #expect(
            parse("events { }\nenv \"a;\n").errors == ["3 unexpected end of file, expecting \";\" or \"}\""])
    }

    @Test("all errors of all files are reported, each with its file and line")
    func allErrors() {
        let outcome = parse(
            """
            foo;
            events { worker_connections x; }
            http {
                include conf.d/*.conf;
                send_timeout 1x;
                server { listen 80 nonsense; location / { proxy_pass ftp://a; return 200 $nobody; } }
                include missing.conf;
            }
            """,
            files: [
                "/etc/nginx/conf.d/b.conf": "server { listen 0; }\n",
                "/etc/nginx/conf.d/a.conf": "\nserver_name x;\nmap $uri $a { default $b; }\n",
            ])
        #expect(
            outcome.diagnostics.filter { $0.severity == .emergency }.map(\.text) == [
                "unknown directive \"foo\" in /etc/nginx/nginx.conf:1",
                "invalid number \"x\" in /etc/nginx/nginx.conf:2",
                "\"send_timeout\" directive invalid value in /etc/nginx/nginx.conf:5",
                "invalid parameter \"nonsense\" in /etc/nginx/nginx.conf:6",
                "invalid URL prefix in /etc/nginx/nginx.conf:6",
                "unknown \"nobody\" variable in /etc/nginx/nginx.conf:6",
                "open() \"/etc/nginx/missing.conf\" failed (2: No such file or directory) in /etc/nginx/nginx.conf:7",
                "\"server_name\" directive is not allowed here in /etc/nginx/conf.d/a.conf:2",
                "unknown \"b\" variable in /etc/nginx/conf.d/a.conf:3",
                "invalid port in \"0\" of the \"listen\" directive in /etc/nginx/conf.d/b.conf:1",
            ])
    }

    @Test("a missing main file is one error without a place")
    func missingMainFile() {
        let outcome = Configuration.parse(
            ConfigurationRequest(path: "none.conf", prefix: "/p"), source: MemorySource(), patterns: GroupCounter())
        #expect(
            outcome.diagnostics.map(\.text) == ["open() \"/p/none.conf\" failed (2: No such file or directory)"])
    }

    @Test("an empty file lacks its events block")
    func noEvents() {
        #expect(parse("").diagnostics.map(\.text) == ["no \"events\" section in configuration"])
    }

    @Test("the directives of -g come first and say where they stand")
    func globals() {
        var source = MemorySource()
        source.files["/p/c"] = "events { }\npid a;\n"
        func run(_ globals: String) -> [String] {
            Configuration.parse(
                ConfigurationRequest(path: "c", prefix: "/p/", globals: globals), source: source,
                patterns: GroupCounter()
            ).diagnostics.map(\.text)
        }
        #expect(run("daemon off;") == [])
        #expect(run("daemon off") == ["unexpected end of parameter, expecting \";\" in command line"])
        #expect(run("http { }") == ["block directives are not supported in -g option in command line"])
        #expect(run("foo;") == ["unknown directive \"foo\" in command line"])
        #expect(run("pid b;") == ["\"pid\" directive is duplicate in /p/c:2"])
    }

    @Test("includes are relative to the main file, may nest, and are recorded once")
    func includes() {
        let outcome = parse(
            "events { }\nhttp { include sub/a.conf; include sub/a.conf; include none/*.conf; }\n",
            files: [
                "/etc/nginx/sub/a.conf": "include sub/b.conf;\n",
                "/etc/nginx/sub/b.conf": "upstream u { include sub/s.conf; }\n",
                "/etc/nginx/sub/s.conf": "server 127.0.0.1;\n",
            ])
        #expect(outcome.errors == ["1 duplicate upstream \"u\""])
        #expect(
            outcome.bundle.files.map(\.path) == [
                "/etc/nginx/nginx.conf", "/etc/nginx/sub/a.conf", "/etc/nginx/sub/b.conf", "/etc/nginx/sub/s.conf",
            ])
    }

    @Test("a file that includes itself ends in one error, not in a crash")
    func includeCycle() {
        let outcome = parse("events { }\ninclude a.conf;\n", files: ["/etc/nginx/a.conf": "include a.conf;\n"])
        #expect(outcome.errors == ["1 files are included more than 32 deep"])
    }

    @Test("an include of many includes is bounded")
    func includeBomb() {
        let files = [
            "/etc/nginx/a.conf": String(repeating: "include b.conf;\n", count: 400),
            "/etc/nginx/b.conf": String(repeating: "include c.conf;\n", count: 400), "/etc/nginx/c.conf": "\n",
        ]
        let outcome = parse("events { }\ninclude a.conf;\n", files: files)
        #expect(outcome.errors == ["350 more than 20000 files are included"])
    }

    @Test("blocks nest a hundred deep at most")
    func deepNesting() {
        let depth = 50_000
        let text = String(repeating: "a {", count: depth) + String(repeating: "}", count: depth)
        let outcome = parse("events { }\n" + text)
        #expect(outcome.errors.contains("2 blocks are nested more than 100 deep"))
        #expect(outcome.errors.count < 10)
    }

    @Test("blocks in Lua are skipped whole")
    func luaBlocks() {
        let outcome = parse("events { }\nhttp { init_by_lua_block { a = \"}\" .. '{' } }\n")
        #expect(outcome.errors == ["2 unknown directive \"init_by_lua_block\""])
    }

    @Test(
        "misspelt names get a suggestion",
        arguments: [
            ("http", "sever { }", "server"), ("http", "keepalive_timout 1;", "keepalive_timeout"),
            ("server", "lisen 80;", "listen"), ("location", "proxypass http://a;", "proxy_pass"),
        ])
    func suggestions(wrapping: String, snippet: String, name: String) throws {
        let outcome = parse(try #require(Wrapping(rawValue: wrapping)).around(snippet))
        #expect(outcome.diagnostics.map(\.suggestion) == [name])
    }

    @Test("a name like no other gets no suggestion")
    func noSuggestion() {
        #expect(parse(Wrapping.http.around("more_set_headers a;")).diagnostics.map(\.suggestion) == [nil])
    }

    @Test("of a file full of other things, only the first hundred words are compared with all names")
    func manyUnknown() {
        let outcome = parse("events { }\n" + String(repeating: "sever a;\n", count: 150) + "http { server { return 200 \"$hots\"; } }\n")
        #expect(outcome.diagnostics.count == 151)
        #expect(outcome.diagnostics.compactMap(\.suggestion) == Array(repeating: "server", count: 100))
    }
}
