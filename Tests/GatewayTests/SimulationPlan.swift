import Machine

/// One request of a client.
struct RequestPlan {
    enum BodyFraming { case none, length, chunked }

    let number: Int
    let method: String
    let version: String
    let bodyCount: Int
    let bodyFraming: BodyFraming
    let expectsContinue: Bool
    let closes: Bool
    /// Instead of a good head, one that must be refused.
    let badHead: String?

    var isIdempotent: Bool { method != "POST" && method != "PATCH" }

    static let badHeads = [
        "GET /r/# HTTP/1.1\r\n\r\n",
        "GET /r/# HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST /r/# HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /r/# HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "POST /r/# HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /r/# HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET /r/# HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /r/# HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET /r/# HTTP/1.1\r\nHost: a\u{0}b\r\n\r\n",
    ]

    /// What the client sends.
    func bytes(_ random: inout RandomSource) -> [UInt8] {
        if let badHead { return Array(badHead.replacing("#", with: "\(number)").utf8) }
        var text = "\(method) /r/\(number) \(version)\r\nHost: site.example\r\nX-Id: \(number)\r\n"
        if random.next(below: 3) == 0 { text += "Cookie: \(String(repeating: "c", count: Int(random.next(below: 900))))\r\n" }
        if expectsContinue { text += "Expect: 100-continue\r\n" }
        if closes { text += "Connection: close\r\n" }
        if version == "HTTP/1.0", !closes { text += "Connection: keep-alive\r\n" }
        let body = SimulatedBody.bytes(number, count: bodyCount)
        switch bodyFraming {
        case .none: return Array((text + "\r\n").utf8)
        case .length: return Array((text + "Content-Length: \(bodyCount)\r\n\r\n").utf8) + body
        case .chunked:
            var bytes = Array((text + "Transfer-Encoding: chunked\r\n\r\n").utf8)
            var rest = body[...]
            while !rest.isEmpty {
                let size = min(rest.count, 1 + Int(random.next(below: UInt64(bodyCount / 2 + 20))))
                bytes += Array("\(String(size, radix: 16))\r\n".utf8) + rest.prefix(size) + [0x0d, 0x0a]
                rest = rest.dropFirst(size)
            }
            return bytes + Array("0\r\n\r\n".utf8)
        }
    }
}

/// One client: a row of requests over connections it keeps as long as it may.
struct ClientPlan {
    enum Leaving { case never, closes, resets, shutsDown }

    var requests: [Int] = []
    /// Sends the next requests before the answers to those before are there.
    var isPipelining = false
    var readsSlowly = false
    var leaving = Leaving.never
    /// When it leaves, in nanoseconds from its first byte.
    var leavesAfter: UInt64 = 0
}

/// Everything that a seed decides before the run.
struct SimulationPlan {
    private(set) var requests: [RequestPlan] = []
    private(set) var clients: [ClientPlan] = []
    private(set) var configuration = ""
    /// Nothing goes wrong: each request must be answered well.
    let isCalm: Bool
    let originCount: Int
    /// Fewer connections are allowed than there are clients.
    let isTight: Bool
    /// When the worker is told to leave to a successor, in nanoseconds from the start; nil: not before the end.
    let retiresAfter: UInt64?
    /// The end is a drain instead of waiting for all timers.
    let drains: Bool
    private(set) var streamsRequests = false

    init(_ random: inout RandomSource, directory: String) {
        isCalm = random.next(below: 4) == 0
        isTight = random.next(below: 8) == 0
        drains = random.next(below: 3) == 0
        let retiresWithin: [UInt64] = [30_000_000, 300_000_000, 5_000_000_000]
        retiresAfter = random.next(below: 4) == 0 ? random.next(below: retiresWithin[Int(random.next(below: 3))]) : nil
        originCount = 1 + Int(random.next(below: 3))
        let clientCount = 1 + Int(random.next(below: isTight ? 12 : 6))
        for _ in 0..<clientCount { addClient(&random) }
        writeConfiguration(&random, directory)
    }

    private mutating func addClient(_ random: inout RandomSource) {
        func chance(_ percent: UInt64) -> Bool { random.next(below: 100) < percent }
        var client = ClientPlan()
        client.isPipelining = chance(30)
        client.readsSlowly = chance(15)
        if !isCalm, chance(20) {
            client.leaving = [.closes, .resets, .shutsDown][Int(random.next(below: 3))]
            client.leavesAfter = random.next(below: [1_000_000, 30_000_000, 4_000_000_000][Int(random.next(below: 3))])
        }
        let count = 1 + Int(random.next(below: 5))
        for place in 0..<count {
            let method = ["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE"][Int(random.next(below: 8))]
            let version = chance(12) ? "HTTP/1.0" : "HTTP/1.1"
            var framing = RequestPlan.BodyFraming.none
            if method == "POST" || method == "PUT" { framing = chance(60) || version == "HTTP/1.0" ? .length : .chunked }
            let size = [0, 1, 30, 700, 5000, 20_000, 70_000][Int(random.next(below: 7) * random.next(below: 7) / 6)]
            let isBad = place == count - 1 && chance(8)
            client.requests.append(requests.count)
            requests.append(RequestPlan(
                number: requests.count, method: method, version: version, bodyCount: framing == .none ? 0 : size, bodyFraming: framing,
                expectsContinue: framing != .none && version == "HTTP/1.1" && chance(20), closes: chance(10),
                badHead: isBad ? RequestPlan.badHeads[Int(random.next(below: UInt64(RequestPlan.badHeads.count)))] : nil))
        }
        clients.append(client)
    }

    private mutating func writeConfiguration(_ random: inout RandomSource, _ directory: String) {
        func pick(_ choices: [String]) -> String { choices[Int(random.next(below: UInt64(choices.count)))] }
        let servers = (0..<originCount).map {
            "server 10.0.0.\($0 + 1) \(pick(["", "weight=3", "max_fails=0", "max_fails=3 fail_timeout=1s"]));"
        }
        let buffering = pick(["", "", "proxy_request_buffering off;"])
        streamsRequests = !buffering.isEmpty
        configuration = """
            error_log error info;
            events { worker_connections \(isTight ? 4 : 64); }
            http {
                log_format simulated '$request_uri $status $body_bytes_sent';
                access_log access simulated;
                client_body_temp_path \(directory)/body;
                proxy_temp_path \(directory)/proxy;
                keepalive_timeout \(pick(["65s", "5s", "0"]));
                keepalive_requests \(pick(["1000", "2"]));
                keepalive_min_timeout \(pick(["0", "0", "100ms"]));
                \(pick(["", "", "lingering_close always;", "lingering_time 3s;"]))
                \(pick(["", "", "reset_timedout_connection on;"]))
                client_body_buffer_size \(pick(["16k", "1k", "128k"]));
                upstream group {
                    \(pick(["", "", "least_conn;", "random two;"]))
                    \(servers.joined(separator: "\n        "))
                    \(pick(["keepalive 8;", "keepalive 1;", "keepalive 0;", "keepalive 8; keepalive_requests 2;"]))
                }
                server {
                    listen 10.1.0.1:80;
                    location / {
                        proxy_pass http://group;
                        proxy_connect_timeout 2s;
                        proxy_read_timeout 3s;
                        proxy_send_timeout 3s;
                        proxy_next_upstream error timeout invalid_header http_503;
                        \(buffering)
                        \(pick(["", "proxy_buffering off;", "proxy_buffers 4 4k; proxy_busy_buffers_size 4k;"]))
                        \(pick(["", "proxy_max_temp_file_size 0;"]))
                        \(pick(["", "proxy_ignore_client_abort on;"]))
                        \(pick(["", "", "proxy_http_version 1.0;", "proxy_set_header Connection \"\";"]))
                        \(pick(["", "", "", "limit_rate 90k;", "limit_rate 40k; limit_rate_after 10k;"]))
                        \(pick(["", "", "", "proxy_limit_rate 60k;"]))
                        \(pick(["", "", "", "post_action /after;"]))
                    }
                    location = /after { return 200 after; }
                }
            }
            """
    }
}
