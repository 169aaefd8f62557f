/// Static checks of a configuration, each a pure function.
package enum Lint {
    package static func findings(
        _ site: NginxSite, evidence: EvidenceSet, names: [String: [PeerAddress]], system: some SystemReader
    ) -> [LintFinding] { [] }
}
