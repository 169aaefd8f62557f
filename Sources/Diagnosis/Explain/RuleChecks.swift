/// What a person looks at for each rule.
enum RuleChecks {
    static func checks(_ rules: [Int], peer: PeerAddress?, unit: String? = nil) -> [String] {
        var out: [String] = []
        for rule in rules {
            for check in checks(rule, peer, unit ?? "UNIT").map(\.text) where !out.contains(check) { out.append(check) }
        }
        return Array(out.prefix(5))
    }

    private static func checks(_ rule: Int, _ peer: PeerAddress?, _ unit: String) -> [ShellCommand] {
        let port = peer?.port.map { "\($0)" } ?? "PORT", host = peer?.hostText ?? "HOST"
        switch rule {
        case 1 where peer?.isUnixSocket ?? false: return ["ss -xlp src \(peer?.path ?? "PATH")", "systemctl status \(unit)"]
        case 2 where peer?.isUnixSocket ?? false, 4 where peer?.isUnixSocket ?? false: return []
        case 1: return ["ss -ltnp 'sport = :\(port)'", "systemctl status \(unit)"]
        case 2: return ["getent ahosts localhost", "ss -ltn 'sport = :\(port)' (which family is bound?)"]
        case 3:
            return [
                "ls -l /proc/PID/ns/net of the proxy and the app",
                "the app must not bind 127.0.0.1 inside its container",
            ]
        case 4:
            return ["getent ahosts NAME against \(host)", "a literal host in proxy_pass is resolved once, at start"]
        case 5: return ["getent ahosts NAME", "cat /etc/resolv.conf"]
        case 6: return ["the app's keep-alive time-out against the proxy's keepalive_timeout"]
        case 7: return ["journalctl -u \(unit) around that second", "coredumpctl list"]
        case 8: return ["the method: POST is not retried"]
        case 9: return ["the failures before it in the same log", "max_fails and fail_timeout of the upstream"]
        case 10: return ["journalctl -k -g 'oom-kill|Out of memory'", "systemctl show \(unit) -p MemoryMax,Result"]
        case 11: return ["systemctl show \(unit) -p Result,NRestarts,ExecMainStatus", "journalctl -u \(unit) -n 50"]
        case 12: return ["pm2 describe NAME (exec mode, listen_timeout, kill_timeout)"]
        case 13:
            return [
                "the order: un-route, then signal, then wait", "systemctl show \(unit) -p TimeoutStopUSec,KillSignal",
            ]
        case 16: return ["ls -la \(peer?.path ?? "DIRECTORY")", "systemctl status \(unit)"]
        case 17 where peer?.isIP ?? false:
            return [
                "nft list ruleset (a rule for output)", "systemctl show UNIT of the proxy -p IPAddressDeny,RestrictAddressFamilies",
                "ausearch -m avc -ts recent; dmesg | grep DENIED",
            ]
        case 17:
            return ["namei -l \(peer?.path ?? "PATH")", "ausearch -m avc -ts recent; dmesg | grep DENIED"]
        case 18: return ["ss -xl (Recv-Q against Send-Q)", "sysctl net.core.somaxconn"]
        case 19:
            return [
                "ss -ltn 'sport = :\(port)' (Recv-Q against Send-Q)", "nstat -az TcpExtListenOverflows",
                "nft list ruleset",
            ]
        case 20: return ["ip route get \(host)", "ip neigh show \(host)"]
        case 21:
            return [
                "ss -tan dst \(host) | wc -l", "sysctl net.ipv4.ip_local_port_range", "keepalive in the upstream block",
            ]
        case 22:
            return [
                "grep 'open files' /proc/PID/limits; ls /proc/PID/fd | wc -l",
                "worker_connections and worker_rlimit_nofile",
            ]
        case 23: return ["curl -sI against the app: which header is the largest?", "proxy_buffer_size"]
        case 24: return ["curl -si against the app: who sets Content-Length and Transfer-Encoding?"]
        case 25: return ["scheme in proxy_pass (http, https, grpc) against what the port speaks"]
        case 26: return ["openssl s_client -connect \(host):\(port) with and without -servername"]
        case 27: return ["ss -ltnp 'sport = :\(port)' (whose is it?)"]
        case 28: return ["the app's own slow log and pool size", "ss -ltn (accept queue)"]
        default: return []
        }
    }
}
