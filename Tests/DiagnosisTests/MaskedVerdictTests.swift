import Foundation
import Machine
import Testing

@testable import Diagnosis

@Suite struct MaskedVerdictTests {
    /// What an application sent must not leave the host with the sentence that tells it.
    @Test func `secrets are masked in all parts of a verdict`() throws {
        var scene = Scene("127.0.0.1:3000", [.responseInvalid: 3])
        scene.failure.detail = "upstream sent invalid header: \"Set-Cookie: session=SECRETabc123\\x01...\""
        let verdict = scene.judge()
        #expect(verdict.rule == "P24" && verdict.cause.hasPrefix("The application sent invalid header: "))
        let text = VerdictText.render(verdict)
        #expect(text.contains("Set-Cookie: ***") && !text.contains("SECRET"))
        let rule = Rule(number: 99, slug: "x", title: "x", depth: 1, reasons: [.responseInvalid]) { _, _ in
            .finding(
                Finding(
                    .firm, Culprit(.process, "app --token=SECRET"), "token=SECRET",
                    evidence: [EvidenceLine("token=SECRET", source: "token=SECRET")],
                    disproof: "token=SECRET", fix: Fix("token=SECRET", commands: ["curl token=SECRET"])))
        }
        let other = Rule(number: 98, slug: "y", title: "y", depth: 1, reasons: [.responseInvalid]) { _, _ in .ruledOut("token=SECRET") }
        let all = VerdictEngine.judge(scene.failure, evidence: EvidenceSet(), rules: [rule, other])
        #expect(!String(decoding: try JSONEncoder().encode(all), as: UTF8.self).contains("SECRET"))
    }
}
