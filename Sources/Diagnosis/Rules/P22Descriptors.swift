import Machine

/// P22: the proxy itself is out of descriptors, connection slots or memory.
enum P22Descriptors {
    static let rule = Rule(
        number: 22, slug: "descriptors", title: "Out of descriptors or connections", depth: 6,
        reasons: [.localDescriptors, .localConnections, .localMemory], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        var lines = [RuleSupport.failures(failure, rule.reasons)]
        let proxy = evidence.proxy.value
        if failure.count([.localConnections]) >= failure.count([.localDescriptors, .localMemory]) {
            let limit = failure.detailNumber ?? 1_024
            return .finding(
                Finding(
                    .proven, Culprit(.gatewayLimit, "worker_connections"),
                    "All \(failure.detailNumber.map { "\($0) " } ?? "")worker_connections of a worker are in use; "
                        + "each proxied request takes two.",
                    evidence: lines,
                    disproof: "The message being about another worker process.",
                    fix: Fix(
                        "Raise it, and the descriptor limit with it.", commands: ["\(failure.proxy) -t && \(failure.proxy) -s reload"],
                        // The one stands in `events`, the other must not.
                        diff: "@@ outside of all blocks @@\n+worker_rlimit_nofile \(max(limit * 8, 8_192));\n"
                            + "@@ in events @@\n-    worker_connections \(limit);\n+    worker_connections \(max(limit * 4, 4_096));"
                    )))
        }
        var confidence = Confidence.firm
        if let open = proxy?.openFiles, let max = proxy?.openFilesMax, max > 0 {
            lines.append(
                EvidenceLine(
                    "\(open) of \(max) descriptors are open now",
                    source: "/proc/\(proxy?.pid ?? 0)/fd, /proc/\(proxy?.pid ?? 0)/limits", time: failure.now))
            if open / 9 >= max / 10 { confidence = .proven }
        }
        if let open = evidence.host.value?.filesOpen, let max = evidence.host.value?.filesMax, open / 9 >= max / 10 {
            lines.append(
                EvidenceLine("\(open) of \(max) files of the whole host are open", source: "/proc/sys/fs/file-nr"))
            confidence = .proven
        }
        let memory = failure.count([.localMemory]) > failure.count([.localDescriptors])
        return .finding(
            Finding(
                confidence, Culprit(.gatewayLimit, memory ? "memory" : "open files"),
                memory
                    ? "The kernel had no memory left for the proxy's sockets."
                    : "The proxy has used up its file "
                        + "descriptors\(proxy?.openFilesMax.map { " (limit \($0))" } ?? "").",
                evidence: lines, disproof: "Free descriptors at the time of the failures.",
                fix: memory
                    ? Fix(
                        "Look at tcp_mem and at the cgroup's memory.",
                        commands: ["cat /proc/net/sockstat", "sysctl net.ipv4.tcp_mem"])
                    : Fix(
                        "Raise the limit of the service.",
                        commands: ["systemctl edit \(proxy?.unit ?? failure.proxy + ".service")   # [Service] LimitNOFILE=65536"],
                        diff: "+worker_rlimit_nofile 65536;")))
    }
}
