import Testing

@testable import Config

/// A mistake, where it stands, and what is said.
struct Mistake: CustomTestStringConvertible, Sendable {
    var wrapping: Wrapping
    var snippet: String
    /// Line within the snippet, from 1.
    var line: Int
    var message: String

    init(_ wrapping: Wrapping, _ snippet: String, _ line: Int, _ message: String) {
        self.wrapping = wrapping
        self.snippet = snippet
        self.line = line
        self.message = message
    }

    var testDescription: String { "\(wrapping): \(snippet)" }
}

@Suite("Error texts are nginx's, with the line")
struct ErrorTextTests {
    @Test("one mistake gives one error", arguments: mistakes + moduleMistakes)
    func text(mistake: Mistake) {
        let outcome = parse(mistake.wrapping.around(mistake.snippet))
        #expect(outcome.errors == ["\(mistake.wrapping.firstLine + mistake.line - 1) \(mistake.message)"])
        #expect(outcome.configuration == nil)
    }

    /// nginx's words do not always say where to look. Of a text that ends too early there is none, and a variable is named itself.
    @Test("every mistake names its directive", arguments: mistakes + moduleMistakes)
    func named(mistake: Mistake) {
        for diagnostic in parse(mistake.wrapping.around(mistake.snippet)).diagnostics {
            let isGrammar = diagnostic.message.hasPrefix("unexpected ") || diagnostic.message.hasPrefix("unknown \"nonsense\" variable")
            #expect(diagnostic.directive != nil || isGrammar, "\(diagnostic)")
            #expect(diagnostic.namedMessage.contains(diagnostic.directive ?? "") && diagnostic.namedMessage.hasPrefix(diagnostic.message))
        }
    }

    static let mistakes: [Mistake] = [
        // Grammar.
        Mistake(.main, #"foo on;"#, 1, #"unknown directive "foo""#),
        Mistake(.main, #"daemon"#, 2, #"unexpected end of file, expecting ";" or "}""#),
        Mistake(.http, #"server_name a;"#, 1, #""server_name" directive is not allowed here"#),
        Mistake(.main, #"daemon on off;"#, 1, #"invalid number of arguments in "daemon" directive"#),
        Mistake(.main, #"daemon on; daemon off;"#, 1, #""daemon" directive is duplicate"#),
        Mistake(.main, #"daemon yes;"#, 1, #"invalid value "yes" in "daemon" directive, it must be "on" or "off""#),
        Mistake(.main, #"daemon on { }"#, 1, #"directive "daemon" is not terminated by ";""#),
        Mistake(.http, #"server;"#, 1, #"directive "server" has no opening "{""#),
        Mistake(.main, #"}"#, 1, #"unexpected "}""#),
        Mistake(.main, #";"#, 1, #"unexpected ";""#),
        Mistake(.main, #"{ }"#, 1, #"unexpected "{""#),
        Mistake(.main, "daemon\n\n\"on\"x;", 3, #"unexpected "x""#),
        Mistake(.main, #"include /etc/nginx/none.conf;"#, 1, #"open() "/etc/nginx/none.conf" failed (2: No such file or directory)"#),
        Mistake(.main, #"include a b;"#, 1, #"invalid number of arguments in "include" directive"#),
        // Values.
        Mistake(.http, #"keepalive_timeout 1x;"#, 1, #""keepalive_timeout" directive invalid value"#),
        Mistake(.http, #"send_timeout abc;"#, 1, #""send_timeout" directive invalid value"#),
        Mistake(.http, #"client_max_body_size 1x;"#, 1, #""client_max_body_size" directive invalid value"#),
        Mistake(.http, #"keepalive_requests ten;"#, 1, #""keepalive_requests" directive invalid number"#),
        Mistake(.http, #"output_buffers 0 1k;"#, 1, #""output_buffers" directive invalid value"#),
        Mistake(.http, #"lingering_close maybe;"#, 1, #"invalid value "maybe""#),
        Mistake(.main, #"worker_processes many;"#, 1, #""worker_processes" directive invalid value"#),
        Mistake(.events, #"worker_connections x;"#, 1, #"invalid number "x""#),
        Mistake(.events, #"use magic;"#, 1, #"invalid event type "magic""#),
        Mistake(.main, #"error_log e.log loud;"#, 1, #"invalid log level "loud""#),
        Mistake(.main, #"error_log e.log info warn;"#, 1, #"duplicate log level "warn""#),
        Mistake(.main, #"error_log syslog:facility=user;"#, 1, #"no syslog server specified"#),
        Mistake(.main, #"error_log syslog:server=1.2.3.4,server=1.2.3.4;"#, 1, #"duplicate syslog "server""#),
        Mistake(.main, #"error_log syslog:server=1.2.3.4,facility=moon;"#, 1, #"unknown syslog facility "moon""#),
        Mistake(.main, #"error_log syslog:server=1.2.3.4,severity=err;"#, 1, #"unknown syslog severity "err""#),
        Mistake(
            .main, #"error_log syslog:server=1.2.3.4,tag=a-b;"#, 1,
            #"syslog "tag" only allows alphanumeric characters and underscore"#),
        Mistake(.main, #"error_log syslog:server=1.2.3.4,color=red;"#, 1, #"unknown syslog parameter "color=red""#),
        Mistake(.main, #"error_log syslog:server=1.2.3.4:0;"#, 1, #"invalid port in syslog server "1.2.3.4:0""#),
        // Listen and server_name.
        Mistake(.server, #"listen 0;"#, 1, #"invalid port in "0" of the "listen" directive"#),
        Mistake(.server, #"listen 127.0.0.1:70000;"#, 1, #"invalid port in "127.0.0.1:70000" of the "listen" directive"#),
        Mistake(.server, #"listen 81-80;"#, 1, #"invalid port range in "81-80" of the "listen" directive"#),
        Mistake(.server, #"listen :80;"#, 1, #"no host in ":80" of the "listen" directive"#),
        Mistake(.server, #"listen [::1;"#, 1, #"invalid host in "[::1" of the "listen" directive"#),
        Mistake(.server, #"listen [::x]:80;"#, 1, #"invalid IPv6 address in "[::x]:80" of the "listen" directive"#),
        Mistake(.server, #"listen unix:;"#, 1, #"no path in the unix domain socket in "unix:" of the "listen" directive"#),
        Mistake(.server, #"listen 80 fast;"#, 1, #"invalid parameter "fast""#),
        Mistake(.server, #"listen 80 backlog=0;"#, 1, #"invalid backlog "backlog=0""#),
        Mistake(.server, #"listen 80 rcvbuf=x;"#, 1, #"invalid rcvbuf "rcvbuf=x""#),
        Mistake(.server, #"listen 80 ipv6only=of;"#, 1, #"invalid ipv6only flags "of""#),
        Mistake(.server, #"listen 80 so_keepalive=x;"#, 1, #"invalid so_keepalive value: "x""#),
        Mistake(.server, "listen 80;\nlisten 80;", 2, #"a duplicate listen 0.0.0.0:80"#),
        Mistake(
            .http, "server { listen 80 default_server; }\nserver { listen 80 default_server; }", 2,
            #"a duplicate default server for 0.0.0.0:80"#),
        Mistake(.http, "server { listen 80 backlog=9; }\nserver { listen 80 backlog=9; }", 2, #"duplicate listen options for 0.0.0.0:80"#),
        Mistake(.server, #"server_name *x;"#, 1, #"server name "*x" is invalid"#),
        Mistake(.server, #"server_name ~;"#, 1, #"empty regex in server name "~""#),
        Mistake(.server, #"server_name ~(;"#, 1, #"pcre2_compile() failed: missing closing parenthesis in "(""#),
        // Locations.
        Mistake(.server, "location / { }\nlocation / { }", 2, #"duplicate location "/""#),
        Mistake(.server, "location = /a { }\nlocation = /a { }", 2, #"duplicate location "/a""#),
        Mistake(.server, #"location == / { }"#, 1, #"invalid location modifier "==""#),
        Mistake(.server, "location /a {\nlocation /b { }\n}", 2, #"location "/b" is outside location "/a""#),
        Mistake(.server, "location = /a {\nlocation /a/b { }\n}", 2, #"location "/a/b" cannot be inside the exact location "/a""#),
        Mistake(.server, "location @a {\nlocation /b { }\n}", 2, #"location "/b" cannot be inside the named location "@a""#),
        Mistake(.location, #"location @a { }"#, 1, #"named location "@a" can be on the server level only"#),
        Mistake(.server, #"location ~ ( { }"#, 1, #"pcre2_compile() failed: missing closing parenthesis in "(""#),
        Mistake(.location, #"limit_except TRACE { }"#, 1, #"invalid method "TRACE""#),
        // Core.
        Mistake(.server, #"root /a; root /b;"#, 1, #""root" directive is duplicate"#),
        Mistake(.location, #"root /a; alias /b;"#, 1, #""alias" directive is duplicate, "root" directive was specified earlier"#),
        Mistake(.server, #"location @a { alias /b; }"#, 1, #"the "alias" directive cannot be used inside the named location"#),
        Mistake(.server, #"root $document_root/x;"#, 1, #"the $document_root variable cannot be used in the "root" directive"#),
        Mistake(.server, #"error_page = /x;"#, 1, #"invalid value "=""#),
        Mistake(.server, #"error_page 200 /x;"#, 1, #"value "200" must be between 300 and 599"#),
        Mistake(.server, #"error_page 499 /x;"#, 1, #"invalid value "499""#),
        Mistake(.server, #"error_page 404 =x /x;"#, 1, #"invalid value "=x""#),
        Mistake(.server, #"try_files /a =1000;"#, 1, #"invalid code "=1000""#),
        Mistake(.server, #"try_files /a;"#, 1, #"invalid number of arguments in "try_files" directive"#),
        Mistake(.server, #"index "";"#, 1, #"index "" in "index" directive is invalid"#),
        Mistake(.server, #"disable_symlinks from=/a;"#, 1, #""disable_symlinks" must have "off", "on" or "if_not_owner" parameter"#),
        Mistake(.server, #"disable_symlinks off from=/a;"#, 1, #""from=" cannot be used with "off" parameter"#),
        Mistake(.server, #"disable_symlinks on off;"#, 1, #"duplicate parameters "on off""#),
        Mistake(.http, #"open_file_cache inactive=1s;"#, 1, #""open_file_cache" must have the "max" parameter"#),
        Mistake(.http, #"types { text/html { } }"#, 1, #"unexpected "{""#),
        Mistake(.http, #"connection_pool_size 100;"#, 1, #"the pool size must be no less than 112"#),
        Mistake(.server, #"resolver 127.0.0.1 valid=x;"#, 1, #"invalid parameter: valid=x"#),
        Mistake(.server, #"resolver valid=1s;"#, 1, #"no name servers defined"#),
        Mistake(.server, #"resolver 1.1.1.1 ipv4=off ipv6=off;"#, 1, #""ipv4" and "ipv6" cannot both be "off""#),
        Mistake(.server, #"client_body_temp_path t 0;"#, 1, #""client_body_temp_path" directive invalid value"#),
        Mistake(
            .http, "server {\nlarge_client_header_buffers 4 64;\n}", 2,
            #"the "large_client_header_buffers" size must be equal to or greater than "connection_pool_size""#),
    ]
}
