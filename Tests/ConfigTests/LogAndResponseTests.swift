import Testing

@testable import Config

@Suite("Logs, error pages, headers and small modules")
struct LogAndResponseTests {
    private func location(_ snippet: String, http: String = "") throws -> (Configuration, LocationSettings) {
        let outcome = parse("events { }\nhttp { \(http)\nserver { location / {\n\(snippet)\n} } }")
        #expect(outcome.errors == [])
        let configuration = try #require(outcome.configuration)
        return (configuration, configuration.location("/"))
    }

    @Test("a log format joins its texts")
    func logFormat() throws {
        let (configuration, _) = try location("", http: "log_format a escape=json 'x $uri' \" ${status}y\" z;")
        let format = try #require(configuration.http?.logFormats.last)
        #expect(configuration.text(format.template) == "x $uri $statusyz")
        #expect(format.escape == .json)
        #expect(format.template.parts.count == 5)
        let combined = try #require(configuration.http?.logFormats.first)
        #expect(
            configuration.text(combined.template)
                == "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
                + "\"$http_referer\" \"$http_user_agent\"")
    }

    @Test("parameters of access_log")
    func accessLog() throws {
        let (configuration, settings) = try location(
            "access_log a.log; access_log /b.log m buffer=4k flush=5s gzip=3 if=$arg_x; access_log /c/$host.log M; "
                + "access_log syslog:server=127.0.0.1:5140,facility=local0,tag=web,severity=warn,nohostname m; "
                + "open_log_file_cache max=10 inactive=20s min_uses=2 valid=1m;", http: "log_format m x;")
        let targets = settings.log.targets
        #expect(targets[0].destination == .file("/srv/a.log"))
        #expect(targets[0].format == 0)
        #expect(targets[1].destination == .file("/b.log"))
        #expect((targets[1].format, targets[1].bufferSize, targets[1].flush, targets[1].gzipLevel) == (1, 4_096, 5_000, 3))
        #expect(configuration.text(targets[1].condition) == "$arg_x")
        guard case .dynamicFile(let path) = targets[2].destination, case .syslog(let syslog) = targets[3].destination else {
            Issue.record("wrong destinations")
            return
        }
        #expect(configuration.text(path) == "/c/$host.log")
        #expect(targets[2].format == 1)
        #expect(syslog.server == .literal(.ipv4(0x7F00_0001, port: 5_140)))
        #expect((syslog.facility, syslog.severity, syslog.tag, syslog.omitsHostName) == (16, 4, "web", true))
        #expect(settings.log.fileCache?.entryCountMax == 10)
        #expect(settings.log.fileCache?.valid == 60)
    }

    @Test("error logs of main, with the default when none is said")
    func errorLogs() throws {
        let text = "events { }\nerror_log a debug; error_log stderr; error_log syslog:server=unix:/dev/log crit;"
        let main = try #require(parse(text).configuration).main
        #expect(main.errorLogs.map(\.level) == [.debug, .error, .critical])
        #expect(main.errorLogs.map(\.destination).prefix(2) == [.file("/srv/a"), .standardError])
        let standard = try #require(parse("events { }").configuration).main.errorLogs
        #expect(standard == [ErrorLogSettings(destination: .file("/srv/logs/error.log"))])
    }

    @Test("error_page in all its forms")
    func errorPages() throws {
        let (configuration, settings) = try location(
            "error_page 500 502 /5xx.html?a=b; error_page 404 = @fallback; error_page 403 =200 http://a/$uri; error_page 497 /x;")
        let pages = settings.core.errorPages
        #expect(pages.map(\.status) == [500, 502, 404, 403, 497])
        #expect(pages.map(\.change) == [.keep, .keep, .fromResponse, .to(200), .to(400)])
        #expect(pages.map { configuration.text($0.target) } == ["/5xx.html", "/5xx.html", "@fallback", "http://a/$uri", "/x"])
        #expect(pages[0].arguments == bytes("a=b"))
        #expect(pages[2].arguments == nil)
    }

    @Test("try_files tells files from directories and ends in a URI or a code")
    func tryFiles() throws {
        let (configuration, settings) = try location("try_files $uri $uri/ /index.php?$args;")
        let files = try #require(settings.core.tryFiles)
        #expect(files.candidates.map(\.isDirectory) == [false, true])
        #expect(files.candidates.map { configuration.text($0.path) } == ["$uri", "$uri"])
        #expect(files.fallback == .uri(try #require(Optional(files.fallbackTemplate))))
        #expect(configuration.text(files.fallbackTemplate) == "/index.php?$args")
        #expect(try location("try_files $uri =404;").1.core.tryFiles?.fallback == .status(404))
    }

    @Test(
        "expires",
        arguments: [
            ("off", Expires.off), ("epoch", .epoch), ("max", .max), ("30d", .after(2_592_000)), ("-1", .after(-1)),
            ("+1h", .after(3_600)), ("modified +24h", .afterModified(86_400)), ("@15h30m", .daily(55_800)), ("0", .after(0)),
        ])
    func expires(text: String, value: Expires) throws {
        #expect(try location("expires \(text);").1.headers.expires == value)
    }

    @Test("expires may come from a variable")
    func dynamicExpires() throws {
        let (configuration, settings) = try location("expires $arg_e;")
        guard case .dynamic(let template, isModified: false) = settings.headers.expires else {
            Issue.record("not dynamic")
            return
        }
        #expect(configuration.text(template) == "$arg_e")
        #expect(Expires(bytes("1h"), isModified: false) == .after(3_600))
        #expect(Expires(bytes("x"), isModified: false) == nil)
    }

    @Test("handlers of a location", arguments: [
        ("stub_status;", ContentHandler.stubStatus), ("stub_status on;", .stubStatus), ("empty_gif;", .emptyGIF),
        ("proxy_pass http://127.0.0.1;", .proxy), ("upstream_health;", .upstreamHealth(nil)), ("", .files),
        ("api write=on;", .api(isWritable: true)),
    ])
    func handlers(snippet: String, handler: ContentHandler) throws {
        #expect(try location(snippet).1.handler == handler)
    }

    @Test("upstream_health names an upstream that is there")
    func upstreamHealth() throws {
        #expect(
            try location("upstream_health u;", http: "upstream u { server 127.0.0.1; }").1.handler == .upstreamHealth(0))
        #expect(
            parse(Wrapping.location.around("upstream_health uu;")).errors == ["5 unknown upstream \"uu\""])
    }

    @Test("valid_referers")
    func referers() throws {
        let (configuration, settings) = try location("valid_referers none blocked server_names *.a.b c.d/x ~^e;")
        let referer = settings.referer
        #expect(referer.allowsNone && referer.allowsBlocked && referer.allowsServerNames)
        #expect(referer.names?.map(\.kind) == [.leadingWildcard, .exact, .exact])
        #expect(referer.names?[1].uri == bytes("/x"))
        #expect(configuration[referer.patterns[0]].caseless)
    }

    @Test("gzip, realip, access and autoindex")
    func smallModules() throws {
        let (_, settings) = try location(
            "gzip on; gzip_window 4k; gzip_hash 32k; gzip_proxied expired no-cache; gzip_disable msie6 x; gzip_http_version 1.0; "
                + "set_real_ip_from unix:; real_ip_header X-Forwarded-For; real_ip_recursive on; allow unix:; deny ::/0; "
                + "autoindex on; autoindex_format JSON; gzip_static always; disable_symlinks if_not_owner from=$document_root;")
        #expect(settings.gzip.windowBits == 12)
        #expect(settings.gzip.memoryLevel == 7)
        #expect(settings.gzip.proxied == [.expired, .noCache])
        #expect(settings.gzip.isDisabledForMSIE6)
        #expect(settings.gzip.httpVersionMin == .http10)
        #expect(settings.realIP.source == .xForwardedFor)
        #expect(settings.realIP.trusted == [.unix])
        #expect(settings.access.rules.map(\.isDenied) == [false, true])
        #expect(settings.autoindex.format == .json)
        #expect(settings.gzipStatic.mode == .always)
        #expect(settings.core.disableSymlinks == .ifNotOwner)
    }

    @Test("stub_status in a server, as nginx allows it")
    func serverHandler() throws {
        let configuration = try #require(parse(Wrapping.server.around("stub_status;")).configuration)
        #expect(configuration.serverSettings.handler == .stubStatus)
    }
}

extension TryFiles {
    /// The template of a fallback to a URI; empty otherwise.
    var fallbackTemplate: Template {
        if case .uri(let template) = fallback { return template }
        return Template()
    }
}
