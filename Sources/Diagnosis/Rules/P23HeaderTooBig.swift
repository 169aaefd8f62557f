import Machine

/// P23: the application's response header is larger than the proxy's buffer.
enum P23HeaderTooBig {
    static let rule = Rule(
        number: 23, slug: "header-too-big", title: "The response header is too large", depth: 6,
        reasons: [.responseTooBigHeader], release: .answers, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard failure.has([.responseTooBigHeader]) else { return .notApplicable }
        let size = evidence.upstream.value?.bufferSize
        var lines = [RuleSupport.failures(failure, [.responseTooBigHeader])]
        if let upstream = evidence.upstream.value, let size {
            lines.append(EvidenceLine("the buffer for a header is \(size) bytes", source: upstream.place))
        }
        if !failure.detail.isEmpty {
            lines.append(EvidenceLine(failure.detail, source: "error log", time: failure.last))
        }
        return .finding(
            Finding(
                .proven, Culprit(.application, "the response header of \(failure.peerText)"),
                "The application sent a header larger than the proxy's buffer\(size.map { " of \($0 >> 10) KB" } ?? ""); large "
                    + "cookies, tokens or Content-Security-Policy do that.",
                evidence: lines, disproof: "A header \(size.map { "of less than \($0) bytes" } ?? "that fits into it").",
                fix: Fix(
                    "Find the largest field and make it smaller; or enlarge the buffer.",
                    commands: RuleSupport.rawAnswer(failure, evidence, body: false).map {
                        ["\($0) | awk '{print length, substr($0,1,60)}' | sort -rn | head -3"]
                    } ?? [],
                    diff: buffers(RuleSupport.module(evidence)))))
    }

    /// gRPC's module has one buffer.
    private static func buffers(_ module: String) -> String {
        "+\(module)_buffer_size 32k;" + (module == "grpc" ? "" : "\n+\(module)_buffers 8 32k;\n+\(module)_busy_buffers_size 64k;")
    }
}
