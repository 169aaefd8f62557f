import Machine
import struct TestKit.SeededGenerator
import Testing

@testable import Diagnosis

/// The pattern families of the rulebook's appendix, with texts of glibc and of musl.
@Suite struct ExplainerTests {
    private static let tail =
        ", client: 10.0.0.9, server: a.example, request: \"GET /x HTTP/1.1\", upstream: \"http://UP/x\", host: "
        + "\"a.example\""

    private static func nginx(_ message: String, level: String = "error", upstream: String = "127.0.0.1:3000") -> String
    {
        "2026/11/22 10:03:04 [\(level)] 12#12: *7 \(message)" + tail.replacing("UP", with: upstream)
    }

    @Test(arguments: [
        (
            "connect() failed (111: Connection refused) while connecting to upstream", "127.0.0.1:3000",
            "connect.refused", "P01"
        ),
        (
            "connect() failed (111: Connection refused) while connecting to upstream", "[::1]:3000", "connect.refused",
            "P02"
        ),
        (
            "connect() to unix:/run/a.sock failed (111: Connection refused) while connecting to upstream",
            "unix:/run/a.sock:", "connect.refused", "P01"
        ),
        (
            "connect() to unix:/run/a.sock failed (2: No such file or directory) while connecting to upstream",
            "unix:/run/a.sock:", "socket.missing", "P16"
        ),
        (
            "connect() to 10.0.0.5:81 failed (13: Permission denied) while connecting to upstream", "10.0.0.5:81",
            "connect.denied", "P17"
        ),
        (
            "connect() to unix:/run/a.sock failed (13: Permission denied) while connecting to upstream",
            "unix:/run/a.sock:", "socket.denied", "P17"
        ),
        (
            "connect() to 10.0.0.5:81 failed (1: Operation not permitted) while connecting to upstream", "10.0.0.5:81",
            "connect.denied", "P17"
        ),
        (
            "connect() to unix:/run/a.sock failed (11: Resource temporarily unavailable) while connecting to upstream",
            "unix:/run/a.sock:", "backlog.full", "P18"
        ),
        (
            "upstream timed out (110: Connection timed out) while connecting to upstream", "10.0.0.5:80",
            "connect.timeout", "P19"
        ),
        (
            "upstream timed out (110: Operation timed out) while connecting to upstream", "10.0.0.5:80",
            "connect.timeout", "P19"
        ),
        (
            "connect() failed (110: Operation timed out) while connecting to upstream", "10.0.0.5:80",
            "connect.timeout", "P19"
        ),
        (
            "connect() failed (113: No route to host) while connecting to upstream", "10.0.0.5:80",
            "connect.unreachable", "P20"
        ),
        (
            "connect() failed (113: Host is unreachable) while connecting to upstream", "10.0.0.5:80",
            "connect.unreachable", "P20"
        ),
        (
            "connect() failed (101: Network unreachable) while connecting to upstream", "[2001:db8::1]:80",
            "connect.unreachable", "P20"
        ),
        (
            "connect() to 10.0.0.5:80 failed (99: Cannot assign requested address) while connecting to upstream",
            "10.0.0.5:80", "local.ports", "P21"
        ),
        (
            "connect() to 10.0.0.5:80 failed (99: Address not available) while connecting to upstream", "10.0.0.5:80",
            "local.ports", "P21"
        ),
        (
            "bind(10.0.0.1) failed (98: Address in use) while connecting to upstream", "10.0.0.5:80", "local.ports",
            "P21"
        ),
        (
            "socket() failed (24: No file descriptors available) while connecting to upstream", "10.0.0.5:80",
            "local.descriptors", "P22"
        ),
        (
            "512 worker_connections are not enough while connecting to upstream", "10.0.0.5:80", "local.connections",
            "P22"
        ),
        (
            "upstream prematurely closed connection while reading response header from upstream", "127.0.0.1:3000",
            "conn.eof_before_head", "P06"
        ),
        ("upstream prematurely closed connection while reading upstream", "127.0.0.1:3000", "body.truncated", "P07"),
        (
            "recv() failed (104: Connection reset by peer) while reading response header from upstream",
            "127.0.0.1:3000", "conn.reset", "P07"
        ),
        (
            "recv() failed (104: Unknown error) while reading response header from upstream", "127.0.0.1:3000",
            "conn.reset", "P07"
        ),
        ("writev() failed (32: Broken pipe) while sending request to upstream", "127.0.0.1:3000", "conn.reset", "P07"),
        (
            "readv() failed (104: Connection reset by peer) while reading upstream", "127.0.0.1:3000", "body.truncated",
            "P07"
        ),
        ("no live upstreams while connecting to upstream", "backend", "pool.empty", "P09"),
        ("upstream server temporarily disabled while connecting to upstream", "127.0.0.1:3000", "pool.empty", "P09"),
        (
            "upstream sent too big header while reading response header from upstream", "127.0.0.1:3000",
            "response.too_big_header", "P23"
        ),
        (
            "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time while reading "
                + "response header from upstream",
            "127.0.0.1:3000", "response.illegal_framing", "P24"
        ),
        (
            "upstream sent duplicate header line: \"Transfer-Encoding: chunked\" while reading response header from "
                + "upstream",
            "127.0.0.1:3000", "response.illegal_framing", "P24"
        ),
        (
            "upstream sent invalid header: \"\\x00\" while reading response header from upstream", "127.0.0.1:3000",
            "response.illegal_framing", "P24"
        ),
        (
            "upstream sent invalid chunked response while reading upstream", "127.0.0.1:3000",
            "response.illegal_framing", "P24"
        ),
        (
            "upstream sent no valid HTTP/1.0 header while reading response header from upstream", "127.0.0.1:3000",
            "response.wrong_protocol", "P25"
        ),
        (
            "upstream sent too large http2 frame: 4740180 while reading response header from upstream",
            "127.0.0.1:3000", "response.wrong_protocol", "P25"
        ),
        (
            "upstream rejected request with error 2 while reading response header from upstream", "127.0.0.1:3000",
            "response.wrong_protocol", "P25"
        ),
        (
            "SSL_do_handshake() failed (SSL: error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake "
                + "failure:SSL alert number 40) while SSL handshaking to upstream",
            "10.0.0.5:443", "tls.handshake", "P26"
        ),
        (
            "upstream SSL certificate verify error: (20:unable to get local issuer certificate) while SSL "
                + "handshaking to upstream",
            "10.0.0.5:443", "tls.verify", "P26"
        ),
        (
            "upstream SSL certificate does not match \"api\" while SSL handshaking to upstream", "10.0.0.5:443",
            "tls.verify", "P26"
        ),
        (
            "peer closed connection in SSL handshake while SSL handshaking to upstream", "10.0.0.5:443",
            "tls.handshake", "P26"
        ),
        (
            "upstream timed out (110: Connection timed out) while reading response header from upstream",
            "127.0.0.1:3000", "response.timeout", "P28"
        ),
        (
            "upstream timed out (110: Connection timed out) while reading upstream", "127.0.0.1:3000", "body.timeout",
            "P28"
        ),
        (
            "connect() failed (112: Host is down) while connecting to upstream", "10.0.0.5:80", "connect.unreachable", "P20"
        ),
        (
            "connect() failed (100: Network is down) while connecting to upstream", "10.0.0.5:80", "connect.unreachable", "P20"
        ),
        (
            "bind(10.0.0.1) failed (99: Address not available) while connecting to upstream", "10.0.0.5:80", "local.ports", "P21"
        ),
        (
            "upstream prematurely closed connection while sending request to upstream", "127.0.0.1:3000", "conn.eof_before_head",
            "P06"
        ),
        ("send() failed (104: Connection reset by peer) while sending request to upstream", "127.0.0.1:3000", "conn.reset", "P07"),
        ("sendfile() failed (32: Broken pipe) while sending request to upstream", "127.0.0.1:3000", "conn.reset", "P07"),
        (
            "recv() failed (104: Connection reset by peer) while proxying upgraded connection", "127.0.0.1:3000", "body.truncated",
            "P07"
        ),
        ("upstream sent too big early hints while reading early hints", "127.0.0.1:3000", "response.too_big_header", "P23"),
        ("upstream sent too big trailers while reading upstream", "127.0.0.1:3000", "response.too_big_header", "P23"),
        (
            "upstream sent invalid \"Content-Length\" header while reading response header from upstream", "127.0.0.1:3000",
            "response.illegal_framing", "P24"
        ),
        (
            "upstream sent unknown \"Transfer-Encoding\": \"gzip\" while reading response header from upstream", "127.0.0.1:3000",
            "response.illegal_framing", "P24"
        ),
        (
            "upstream sent more data than specified in \"Content-Length\" header while reading upstream", "127.0.0.1:3000",
            "response.illegal_framing", "P24"
        ),
        (
            "upstream sent goaway with error 1 while reading response header from upstream", "127.0.0.1:3000",
            "response.wrong_protocol", "P25"
        ),
        (
            "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream",
            "10.0.0.5:443", "tls.handshake", "P26"
        ),
        ("upstream timed out (110: Operation timed out) while SSL handshaking to upstream", "10.0.0.5:443", "tls.handshake", "P26"),
        (
            "upstream timed out (110: Operation timed out) while sending request to upstream", "127.0.0.1:3000", "send.timeout",
            "P28"
        ),
        ("limiting connections by zone \"one\"", "127.0.0.1:3000", "request.limited", "P28"),
        ("api could not be resolved (2: Server failure)", "127.0.0.1:3000", "dns.failed", "P05"),
        ("api could not be resolved (110: Operation timed out)", "127.0.0.1:3000", "dns.failed", "P05"),
        ("api could not be resolved (3: Host not found)", "127.0.0.1:3000", "dns.failed", "P05"),
        ("no resolver defined to resolve api.example", "127.0.0.1:3000", "dns.failed", "P05"),
        ("limiting requests, excess: 5.2 by zone \"one\"", "127.0.0.1:3000", "request.limited", "P28"),
    ])
    func `nginx's families are recognised by number`(message: String, upstream: String, reason: String, rule: String)
        throws
    {
        let explanation = try #require(Explainer.explain(Self.nginx(message, upstream: upstream)))
        #expect(explanation.origin == .nginx && explanation.reason == reason && explanation.rules.first == rule)
        let page = try #require(explanation.pages.first)
        #expect(page.hasPrefix("docs/verdicts/\(rule)"))
    }

    @Test(arguments: [
        (
            "2026/11/22 10:03:04 [emerg] 1#1: host not found in upstream \"api\" in /etc/nginx/conf.d/a.conf:3",
            Explanation.Origin.nginx, "P05"
        ),
        ("2026/11/22 10:03:04 [emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address in use)", .nginx, "P27"),
        ("2026/11/22 10:03:04 [emerg] 1#1: still could not bind()", .nginx, "P27"),
        ("2026/11/22 10:03:04 [alert] 1#1: worker process 31 exited on signal 11 (core dumped)", .nginx, "P07"),
        (
            "2026/11/22 10:03:04 [warn] 1#1: 4096 worker_connections exceed open file resource limit: 1024", .nginx,
            "P22"
        ),
        ("2026/11/22 10:03:04 [alert] 1#1: *9 accept4() failed (24: Too many open files)", .nginx, "P22"),
        ("Nov 22 10:03:04 web systemd[1]: app.service: Start request repeated too quickly.", .systemd, "P11"),
        ("Nov 22 10:03:04 web systemd[1]: app.service: Failed with result 'oom-kill'.", .systemd, "P10"),
        ("Nov 22 10:03:04 web systemd[1]: app.service: Failed with result 'start-limit-hit'.", .systemd, "P11"),
        (
            "Nov 22 10:03:04 web systemd[1]: app.service: Main process exited, code=dumped, status=11/SEGV", .systemd,
            "P07"
        ),
        (
            "Nov 22 10:03:04 web systemd[1]: app.service: Scheduled restart job, restart counter is at 4.", .systemd,
            "P11"
        ),
        ("Nov 22 10:03:04 web systemd[1]: app.service: State 'stop-sigterm' timed out. Killing.", .systemd, "P13"),
        (
            "Nov 22 10:03:04 web systemd[1]: app.service: A process of this unit has been killed by the OOM killer.",
            .systemd, "P10"
        ),
        (
            "[ 3196.1] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/system.slice/app.service,task=node,pid=77,uid=0",
            .kernel, "P10"
        ),
        ("Nov 22 10:03:04 web kernel: [  12.5] Out of memory: Killed process 77 (node) total-vm:1kB", .kernel, "P10"),
        ("node[77]: segfault at 0 ip 00007f1 sp 00007f2 error 4 in libc.so.6[7f+1]", .kernel, "P07"),
        ("traps: node[77] general protection fault ip:1 sp:2 error:0 in node[4+5]", .kernel, "P07"),
        (
            "TCP: request_sock_TCP: Possible SYN flooding on port 3000. Sending cookies.  Check SNMP counters.",
            .kernel, "P19"
        ),
        ("nf_conntrack: nf_conntrack: table full, dropping packet", .kernel, "P19"),
        (
            "type=AVC msg=audit(1.2:3): avc:  denied  { name_connect } for  pid=5 comm=\"nginx\" dest=8080 scontext=x",
            .audit, "P17"
        ),
        (
            "audit: type=1400 audit(1.2:3): apparmor=\"DENIED\" operation=\"connect\" profile=\"nginx\" "
                + "name=\"/run/a.sock\" pid=5 comm=\"nginx\"",
            .audit, "P17"
        ),
        ("PM2        | App [api:0] exited with code [1] via signal [SIGINT]", .pm2, "P11"),
        ("PM2        | Script /srv/api.js had too many unstable restarts (16). Stopped. \"errored\"", .pm2, "P11"),
        ("PM2        | -reload- New worker listening", .pm2, "P12"),
        ("PM2        | [WATCH] api exceeds --max-memory-restart value", .pm2, "P12"),
        ("[2026-11-22 10:03:04 +0000] [80] [CRITICAL] WORKER TIMEOUT (pid:88)", .gunicorn, "P28"),
        (
            "[2026-11-22 10:03:04 +0000] [80] [ERROR] Worker (pid:88) was sent SIGKILL! Perhaps out of memory?",
            .gunicorn, "P10"
        ),
        (
            "[22-Nov-2026 10:03:04] WARNING: [pool www] server reached pm.max_children setting (5), consider raising "
                + "it",
            .phpFpm, "P28"
        ),
        (
            "[22-Nov-2026 10:03:04] WARNING: [pool www] child 99 exited on signal 11 (SIGSEGV) after 3.2 seconds "
                + "from start",
            .phpFpm, "P07"
        ),
        ("Error: listen EADDRINUSE: address already in use :::3000", .application, "P27"),
        (
            #"{"level":"error","ts":1795341784.1,"logger":"http.log.error","msg":"dial tcp 127.0.0.1:9000: connect: connection refused","request":{"method":"GET"},"status":502}"#,
            .caddy, "P01"
        ),
        (#"{"level":"error","ts":1795341784.1,"logger":"http.log.error","msg":"EOF","status":502}"#, .caddy, "P06"),
        (
            #"{"level":"error","ts":1795341784.1,"logger":"http.log.error","msg":"no upstreams available","status":503}"#,
            .caddy, "P09"
        ),
        (
            #"{"level":"error","ts":1795341784.1,"logger":"http.log.error","msg":"tls: failed to verify certificate: x509: certificate signed by unknown authority","status":502}"#,
            .caddy, "P26"
        ),
        (
            #"time="2026-11-22T10:03:04Z" level=debug msg="502 Bad Gateway error=\"dial tcp: lookup api on 10.0.0.2:53: no such host\"""#,
            .go, "P05"
        ),
        (#"2026/11/22 10:03:04 http: proxy error: dial tcp 10.0.0.5:80: i/o timeout"#, .go, "P19"),
        (#"{"request":{},"status":502,"ts":1,"logger":"http.log.access"}"#, .caddy, "P30"),
        (
            "Nov 22 10:03:04 lb haproxy[14389]: 10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/srv1 "
                + "10/0/-1/-1/109 503 2750 - - SC-- 1/1/1/1/3 0/0 \"GET / HTTP/1.1\"",
            .haproxy, "P01"
        ),
        (
            "10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/<NOSRV> 10/-1/-1/-1/109 503 2750 - - SC-- "
                + "1/1/1/1/3 0/0 \"GET / HTTP/1.1\"",
            .haproxy, "P09"
        ),
        (
            "10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/srv1 10/0/30/-1/109 504 2750 - - sH-- "
                + "1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
            .haproxy, "P28"
        ),
        (
            "10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/srv1 10/0/30/69/109 502 2750 - - PH-- "
                + "1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
            .haproxy, "P24"
        ),
        (
            "10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/srv1 10/0/30/69/109 502 2750 - - ---- "
                + "1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
            .haproxy, "P30"
        ),
        (
            "[2026-11-22T10:03:04.310Z] \"POST /v1 HTTP/2\" 503 UH no_healthy_upstream - \"-\" 0 19 0 - \"-\" \"curl\"",
            .envoy, "P09"
        ),
        (
            "[2026-11-22T10:03:04.310Z] \"POST /v1 HTTP/2\" 503 UC "
                + "upstream_reset_before_response_started{connection_termination} - \"-\" 0 95 5 -",
            .envoy, "P06"
        ),
        ("[2026-11-22T10:03:04.310Z] \"GET /v1 HTTP/1.1\" 503 UF,URX 0 91 226 -", .envoy, "P01"),
    ])
    func `other families are recognised`(line: String, origin: Explanation.Origin, rule: String) throws {
        let explanation = try #require(Explainer.explain(line), "\(line)")
        #expect(explanation.origin == origin && explanation.rules.first == rule, "\(line): \(explanation)")
    }

    /// Of the configuration manual's table of session states; the phase behind a cause that is not the server's says nothing of it.
    @Test(arguments: [
        ("SC", "connect.refused", "P01"), ("sC", "connect.timeout", "P19"), ("SH", "conn.eof_before_head", "P07"),
        ("sH", "response.timeout", "P28"), ("SD", "body.truncated", "P07"), ("sD", "body.timeout", "P28"),
        ("PH", "response.invalid", "P24"), ("PC", "local.descriptors", "P22"), ("RC", "local.descriptors", "P22"),
        ("sQ", "queue.timeout", "P28"), ("SQ", "queue.full", "P28"), ("RQ", "queue.full", "P28"), ("PR", "unknown", ""),
        ("PD", "response.illegal_framing", "P24"),
        ("UC", "pool.empty", "P09"), ("DC", "conn.reset", "P09"), ("KD", "conn.reset", "P09"), ("CD", "client.gone", ""),
        ("cR", "client.gone", ""), ("CQ", "client.gone", ""), ("cD", "client.gone", ""), ("--", "app.answered", "P30"),
    ], ["", "--", "VN"])
    func `HAProxy's termination states are read`(state: (code: String, reason: String, rule: String), cookie: String) throws {
        let line = "Nov 22 10:03:04 lb haproxy[14389]: 10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/srv1 10/0/-1/-1/109 "
            + "503 2750 - - \(state.code)\(cookie) 1/1/1/1/3 0/0 \"GET /SC--?a=SH-- HTTP/1.1\""
        let found = try #require(Explainer.explain(line))
        #expect(found.origin == .haproxy && found.reason == state.reason && found.rules.first ?? "" == state.rule, "\(found)")
        #expect(found.phase == state.code)
    }

    /// Of the table of `%RESPONSE_FLAGS%`, as a line of the default format, with details and without, and as JSON.
    @Test(arguments: [
        ("UF", "", "connect.refused", "P01"),
        ("UF", "upstream_reset_before_response_started{connection_timeout}", "connect.timeout", "P19"),
        ("UF", "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268435581}", "tls.handshake", "P26"),
        ("UC", "upstream_reset_before_response_started{connection_termination}", "conn.eof_before_head", "P06"),
        ("UR", "", "conn.reset", "P07"), ("UH", "no_healthy_upstream", "pool.empty", "P09"), ("UT", "", "response.timeout", "P28"),
        ("UO", "overflow", "queue.full", "P22"), ("UPE", "", "response.invalid", "P24"), ("URX", "", "conn.reset", "P01"),
        ("DF", "", "dns.failed", "P05"), ("OM", "", "local.memory", "P22"), ("NR", "route_not_found", "", ""),
        ("NC", "", "", ""), ("DC", "", "client.gone", ""), ("DPE", "", "client.gone", ""),
        ("LH", "", "pool.empty", "P09"), ("LR", "", "conn.reset", "P07"),
        ("RL", "", "request.limited", "P28"),
    ], ["text", "bare", "json"])
    func `Envoy's response flags are read`(flag: (code: String, details: String, reason: String, rule: String), form: String) throws {
        if form == "bare", !flag.details.isEmpty { return }
        let head = "[2026-11-22T10:03:04.310Z] \"GET /v1 HTTP/1.1\" 503 \(flag.code) "
        let line =
            switch form {
            case "text": head + "\(flag.details.isEmpty ? "-" : flag.details) - \"-\" 0 95 5 - \"-\" \"curl\""
            case "bare": head + "0 95 5 -"
            default:
                #"{"response_flags":"\#(flag.code)","response_code":503,"response_code_details":"\#(flag.details)","#
                    + #""upstream_host":"10.0.0.5:80"}"#
            }
        let found = try #require(Explainer.explain(line))
        #expect(found.origin == .envoy && found.reason ?? "" == flag.reason && found.rules.first ?? "" == flag.rule, "\(found)")
        #expect(found.peer?.text == (form == "json" ? "10.0.0.5:80" : nil))
    }

    /// As Caddy writes them in JSON, and others bare.
    @Test(arguments: [
        ("dial tcp 127.0.0.1:9000: connect: connection refused", "connect.refused", "P01", "127.0.0.1:9000"),
        ("dial tcp [::1]:9000: connect: connection refused", "connect.refused", "P01", "[::1]:9000"),
        ("dial unix /run/a.sock: connect: no such file or directory", "socket.missing", "P16", "unix:/run/a.sock"),
        ("dial unix /run/a.sock: connect: permission denied", "socket.denied", "P17", "unix:/run/a.sock"),
        ("dial tcp 10.0.0.5:80: connect: permission denied", "connect.denied", "P17", "10.0.0.5:80"),
        ("dial unix /run/a.sock: connect: resource temporarily unavailable", "backlog.full", "P18", "unix:/run/a.sock"),
        ("dial tcp 10.0.0.5:80: i/o timeout", "connect.timeout", "P19", "10.0.0.5:80"),
        ("dial tcp 10.0.0.5:80: connect: no route to host", "connect.unreachable", "P20", "10.0.0.5:80"),
        ("dial tcp 10.0.0.5:80: connect: network is unreachable", "connect.unreachable", "P20", "10.0.0.5:80"),
        ("dial tcp 10.0.0.5:80: connect: cannot assign requested address", "local.ports", "P21", "10.0.0.5:80"),
        ("dial tcp 10.0.0.5:80: socket: too many open files", "local.descriptors", "P22", "10.0.0.5:80"),
        ("dial tcp: lookup api on 10.0.0.2:53: server misbehaving", "dns.failed", "P05", nil),
        ("read tcp 10.0.0.1:4000->10.0.0.5:80: read: connection reset by peer", "conn.reset", "P07", "10.0.0.5:80"),
        ("write tcp 10.0.0.1:4000->10.0.0.5:80: write: broken pipe", "conn.reset", "P07", "10.0.0.5:80"),
        ("http: server closed idle connection", "conn.eof_before_head", "P06", nil), ("EOF", "conn.eof_before_head", "P06", nil),
        ("unexpected EOF", "body.truncated", "P07", nil),
        ("net/http: timeout awaiting response headers", "response.timeout", "P28", nil),
        ("no upstreams available", "pool.empty", "P09", nil), ("no available server", "pool.empty", "P09", nil),
        ("net/http: HTTP/1.x transport connection broken: malformed HTTP response", "response.wrong_protocol", "P25", nil),
        ("tls: first record does not look like a TLS handshake", "response.wrong_protocol", "P25", nil),
        ("http: server gave HTTP response to HTTPS client", "response.wrong_protocol", "P25", nil),
        ("x509: certificate has expired or is not yet valid", "tls.verify", "P26", nil),
        ("remote error: tls: handshake failure", "tls.handshake", "P26", nil),
    ], [Explanation.Origin.caddy, .go])
    func `Go's own texts are read`(
        text: (line: String, reason: String, rule: String, peer: String?), origin: Explanation.Origin
    ) throws {
        let caddy = #"{"level":"error","ts":1795341784.1,"logger":"http.log.error","msg":"\#(text.line)","status":502}"#
        let found = try #require(Explainer.explain(origin == .caddy ? caddy : "2026/11/22 10:03:04 http: proxy error: \(text.line)"))
        #expect(found.origin == origin && found.reason == text.reason && found.rules.first == text.rule, "\(found)")
        #expect(found.peer?.text == text.peer)
    }

    @Test(arguments: [
        "", "hello", "2026/11/22 10:03:04 [notice] 1#1: signal process started",
        "10.0.0.1 - - [22/Nov/2026:10:03:04 +0000] \"GET / HTTP/1.1\" 200 5",
        "Nov 22 10:03:04 web systemd[1]: Started app.service - The app.", "{\"level\":\"info\"}", "{",
        "[2026-11-22T10:03:04.310Z] \"GET / HTTP/1.1\" 200 - 0 91 226 -",
        "2026/11/22 10:03:04 [error] 1#1: *7 open() \"/srv/x\" failed (2: No such file or directory), client: "
            + "10.0.0.1, server: , request: \"GET /x HTTP/1.1\", host: \"a\"",
        "2026/11/22 10:03:04 [info] 1#1: *7 client prematurely closed connection, client: 10.0.0.1, server: , "
            + "request: \"GET / HTTP/1.1\"",
        "10.0.1.2:33317 [22/Nov/2026:10:03:04.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 "
            + "0/0 \"GET / HTTP/1.1\"",
    ])
    func `lines that tell no failure stay unexplained`(line: String) {
        #expect(Explainer.explain(line) == nil)
    }

    @Test func `a client cannot forge the upstream field`() throws {
        let line =
            "2026/11/22 10:03:04 [error] 12#12: *7 connect() failed (111: Connection refused) while connecting to "
            + "upstream, client: 10.0.0.9, server: a, "
            + "request: \"GET /\", upstream: \"http://evil:1/ HTTP/1.1\", upstream: \"http://127.0.0.1:3000/\", "
            + "upstream: \"http://evil:1/\", host: \"x\", referrer: \"\", upstream: \"http://evil:2/\""
        let parsed = try #require(NginxErrorLine(LineText(line)))
        #expect(parsed.peer?.text == "127.0.0.1:3000")
        #expect(parsed.request == "GET /\", upstream: \"http://evil:1/ HTTP/1.1")
    }

    @Test func `our own suffix does not disturb`() throws {
        let line =
            Self.nginx("connect() failed (111: Connection refused) while connecting to upstream")
            + ", reason: connect.refused, incident: 2Q1JDW02"
        #expect(Explainer.explain(line)?.peer?.text == "127.0.0.1:3000")
    }

    @Test(arguments: 0..<40)
    func `random bytes neither trap nor take long`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let seeds = [
            "connect() failed (111: ", "2026/11/22 10:03:04 [error] 1#1: *7 ", ", upstream: \"http://", "(99",
            "[22/Nov/2026:10:03:04 +0000] ", "{\"msg\":\"", "dial tcp ", "App [", "oom-kill:constraint=CONSTRAINT_",
            "pid=", " while ",
        ]
        for _ in 0..<50 {
            var bytes: [UInt8] = []
            for _ in 0..<random.next(below: 12) {
                if random.next() % 2 == 0 {
                    bytes += Array(seeds[random.next(below: seeds.count)].utf8)
                } else {
                    bytes += (0..<random.next(below: 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                }
            }
            let explanation = Explainer.explain(LineText(bytes[...]))
            if let explanation { #expect(explanation.summary.utf8.allSatisfy { $0 >= 32 && $0 != 127 }) }
        }
    }

    private static let whole = nginx("connect() failed (111: Connection refused) while connecting to upstream")

    @Test(arguments: [
        "Nov 22 10:03:04 web1 nginx: \(whole)", "<187>Nov 22 10:03:04 web1 nginx: \(whole)", "web-1  | \(whole)",
        "2026-11-22T10:03:04.123456789Z \(whole)", "2026-11-22T10:03:04.123456789Z stderr F \(whole)",
        "/var/log/nginx/error.log:\(whole)", "/var/log/nginx/error.log-17:\(whole)", "> \(whole)",
        "{\"log\":\"\(whole.replacing("\"", with: "\\\""))\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-22T10:03:04Z\"}",
        String(whole.split(separator: "*7 ").last!),
    ])
    func `nginx's lines are known in the forms in which people have them`(line: String) throws {
        let found = try #require(Explainer.explain(line))
        #expect(found.origin == .nginx && found.rules.first == "P01" && found.peer?.text == "127.0.0.1:3000", "\(found.summary)")
    }

    @Test(arguments: [
        ("nginx: [emerg] host not found in upstream \"api\" in /etc/nginx/nginx.conf:5", "dns.failed", "P05"),
        ("Nov 22 10:03:04 web1 nginx[12]: nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", "port.taken", "P27"),
        ("nginx: [warn] 4096 worker_connections exceed open file resource limit: 1024", "local.descriptors", "P22"),
        (
            "2026/11/22 10:03:04 [error] 12#12: send() failed (111: Connection refused) while resolving, resolver: 127.0.0.11:53",
            "dns.failed", "P05"
        ),
        (
            nginx("upstream sent unsupported FastCGI protocol version: 72 while reading response header from upstream"),
            "response.wrong_protocol", "P25"
        ),
        (
            nginx("upstream sent unexpected FastCGI record: 15 while reading response header from upstream"),
            "response.wrong_protocol", "P25"
        ),
        (
            nginx("FastCGI sent in stderr: \"Primary script unknown\" while reading response header from upstream"), "app.answered",
            "P30"
        ),
        ("[2026-11-22T10:03:04.000Z] \"GET /x HTTP/1.1\" 503 - via_upstream - \"-\" 0 9 4 3", "app.answered", "P30"),
        ("[2026-11-22T10:03:04.000Z] \"- - -\" 0 UF upstream_reset - \"-\" 0 0 1 -", "connect.refused", "P01"),
        ("Nov 22 10:03:04 lb haproxy[9]: backend app has no server available!", "pool.empty", "P09"),
        // Clients of the proxy, not its upstreams.
        ("http: TLS handshake error from 203.0.113.5:51234: EOF", "client.gone", ""),
        ("http: TLS handshake error from 203.0.113.5:51234: tls: first record does not look like a TLS handshake", "client.gone", ""),
        ("http: TLS handshake error from 203.0.113.5:51234: remote error: tls: unknown certificate", "client.gone", ""),
        ("2026/11/22 10:03:04 [info] 12#12: *5 peer closed connection in SSL handshake while SSL handshaking, client: 203.0.113.9, server: "
            + "0.0.0.0:443", "client.gone", ""),
    ])
    func `what is told besides a failed attempt is known as well`(line: String, reason: String, rule: String) throws {
        let found = try #require(Explainer.explain(line))
        #expect(found.reason ?? "" == reason && found.rules.first ?? "" == rule, "\(found.reason ?? "none") \(found.summary)")
    }

    /// Crashes other than of memory, who went away, and what could not be bound, each in its own words.
    @Test(arguments: [
        ("[ 3196.1] traps: node[4711] trap invalid opcode ip:55 sp:7f error:0 in node[55+1]", "P07", "invalid instruction"),
        ("Apr 08 18:30:22 host kernel: traps: node[4711] trap divide error ip:55 sp:7f error:0 in node[55+1]", "P07", "divided by zero"),
        (
            #"{"level":"error","ts":1712601022.1,"logger":"http.handlers.reverse_proxy","msg":"aborting with incomplete response","#
                + #""upstream":"127.0.0.1:3000","error":"writing: write tcp 127.0.0.1:80->10.0.0.9:5123: write: broken pipe"}"#,
            "", "The client went away"
        ),
        (
            #"{"level":"error","ts":1712601022.1,"logger":"http.handlers.reverse_proxy","msg":"aborting with incomplete response","#
                + #""error":"reading: unexpected EOF"}"#, "P07", "The peer closed in the middle"
        ),
        (
            "2026/11/22 10:03:04 [crit] 12#12: *7 bind(10.0.0.9) failed (98: Address already in use) while connecting to upstream"
                + tail.replacing("UP", with: "127.0.0.1:3000"), "P21", "all its ports to it are in use"
        ),
        (
            "2026/11/22 10:03:04 [crit] 12#12: *7 bind(10.0.0.9) failed (99: Cannot assign requested address) while connecting to upstream"
                + tail.replacing("UP", with: "127.0.0.1:3000"), "P21", "names no address of this host"
        ),
    ])
    func `a line's own words are believed`(line: String, rule: String, words: String) throws {
        let found = try #require(Explainer.explain(line))
        #expect(found.rules.first ?? "" == rule && found.summary.contains(words), "\(found.summary)")
        #expect(rule != "" || found.peer == nil)
    }

    /// Lines that concern no request, with words of those that do.
    @Test(arguments: [
        "r3.o.lencr.org could not be resolved (110: Operation timed out) while requesting certificate status, responder: r3.o.lencr.org",
        "connect() to [2600:1401:4000::1730:e]:80 failed (101: Network is unreachable) while requesting certificate status, responder: r3",
        "connect() failed (2: No such file or directory) while logging to syslog, server: unix:/dev/log",
        "peer closed connection in SSL handshake while SSL handshaking, client: 203.0.113.9, server: 0.0.0.0:443",
    ])
    func `what nginx does for itself is no failure of an upstream`(message: String) throws {
        let line = try #require(NginxErrorLine(LineText("2026/11/22 10:03:04 [error] 12#12: *7 \(message)")))
        #expect(NginxFailure.classify(line) == nil)
    }
}
