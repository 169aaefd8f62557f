@testable import Diagnosis
import Machine
import Messages
import Testing

@testable import Control

@Suite("What pages are told of verdicts")
struct VerdictBulletinTests {
    private func report(
        _ salt: UInt16, isOpen: Bool = true, cause: String? = "it was killed", aliases: [UInt16] = [], evidence: [String] = []
    ) -> IncidentReport {
        func id(_ salt: UInt16) -> IncidentID { IncidentID(seconds: 1_795_341_600, salt: salt) }
        let time = Timestamp(seconds: 1_795_341_600)
        let verdict = cause.map { cause in
            Verdict(
                incident: nil, version: 1, reason: "connect.refused", rule: "P01", title: "Nothing listens there",
                culprit: Culprit(.process, "x"), cause: cause, evidence: evidence.map { EvidenceLine($0, source: "s") },
                confidence: .proven, disproof: "", fix: Fix("Start it.", commands: ["run --token abc123 now"]), alternatives: [],
                ruledOut: [], gaps: [], page: nil)
        }
        return IncidentReport(
            id: id(salt), aliases: aliases.map(id), upstream: "back", peer: nil, first: time, last: time, isOpen: isOpen, attempts: [:],
            requestsFailed: 0, requestsSaved: 0, requestsPending: 0, verdict: verdict, timeline: [])
    }

    private func wanted() -> VerdictBulletin {
        var bulletin = VerdictBulletin()
        _ = bulletin.want(true)
        return bulletin
    }

    private func headline(_ news: VerdictNews?) -> VerdictHeadline? {
        if case .headline(let headline)? = news { headline } else { nil }
    }

    @Test("nothing without verdict_to, and all that is open once it is there")
    func wants() {
        var bulletin = VerdictBulletin()
        bulletin.note(report(1))
        #expect(bulletin.turn().isEmpty)
        #expect(bulletin.want(true) && !bulletin.want(true))
        bulletin.note(report(1))
        #expect(bulletin.turn().count == 1)
        // Taken away, everything is forgotten, and told anew when it comes back.
        #expect(!bulletin.want(false) && bulletin.want(true))
        bulletin.note(report(1))
        #expect(bulletin.turn().count == 1)
    }

    @Test("only what is new: a verdict, another one, the end")
    func newsOnly() {
        var bulletin = wanted()
        bulletin.note(report(1, cause: nil))
        #expect(bulletin.turn().isEmpty, "no verdict yet")
        bulletin.note(report(1, cause: "a"))
        bulletin.note(report(1, cause: "b", aliases: [9]))
        let first = bulletin.turn()
        #expect(first.count == 1 && headline(first.first)?.cause == "b")
        #expect(headline(first.first)?.incidents.count == 2)
        bulletin.note(report(1, cause: "b", aliases: [9]))
        #expect(bulletin.turn().isEmpty, "nothing changed")
        bulletin.note(report(1, cause: "c", aliases: [9]))
        bulletin.note(report(1, cause: "b", aliases: [9]))
        #expect(bulletin.turn().isEmpty, "it is as it was")
        bulletin.note(report(1, isOpen: false))
        #expect(bulletin.turn() == [.closed(incident: report(1).id.rawValue)])
        bulletin.note(report(1, isOpen: false))
        bulletin.note(report(2, isOpen: false))
        #expect(bulletin.turn().isEmpty, "of what was never told, no end is told")
    }

    @Test("in portions, and of so many incidents at one time: the newest")
    func bounds() {
        var bulletin = wanted()
        var table = VerdictTable()
        for salt in 1...100 as ClosedRange<UInt16> { bulletin.note(report(salt)) }
        var turns = 0
        while case let news = bulletin.turn(), !news.isEmpty {
            turns += 1
            // The end of an older incident may stand before each new one.
            #expect(news.count <= 2 * VerdictBulletin.turnMax)
            news.forEach { table.take($0) }
        }
        #expect(turns == 9)
        #expect(table.rows.map { $0.incidents[0] & 0x3ff } == Array(37...100))
    }

    @Test("with secrets masked everywhere, and bounded lists")
    func masks() throws {
        var bulletin = wanted()
        bulletin.note(
            report(1, cause: "it said password=hunter2 <b>", aliases: Array(100...140), evidence: ["1", "2", "token=abc", "4"]))
        let told = try #require(headline(bulletin.turn().first))
        #expect(told.title == "Nothing listens there (P01, proven)")
        #expect(told.cause == "it said password=*** <b>" && told.commands == ["run --token *** now"])
        #expect(told.evidence == ["2", "token=***", "4"])
        let salts = told.incidents.map { $0 & 0x3ff }
        #expect(salts.count == VerdictHeadline.incidentsMax && salts.first == 1 && salts.last == 140)
        _ = try WorkerCommand.verdict(.headline(told)).encode()
    }
}
