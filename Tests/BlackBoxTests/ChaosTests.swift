import Foundation
import Synchronization
import Testing
import TestKit

/// What was executed at the origins, by the id that each request carries.
private final class Ledger: Sendable {
    private let executions = Mutex<[String: Int]>([:])

    func execute(_ id: String) { executions.withLock { $0[id, default: 0] += 1 } }

    subscript(_ id: String) -> Int { executions.withLock { $0[id, default: 0] } }

    var twice: [String] { executions.withLock { $0.filter { $0.value > 1 }.map(\.key) } }
}

/// What an unreliable origin does with a request, decided by its id alone: so a run repeats.
private enum Mishap: CaseIterable {
    case closeBefore, resetBefore, closeAfter, resetAfter, truncate, slow

    /// nil for nine requests in ten.
    static func of(_ id: String, seed: UInt64) -> Mishap? {
        let hash = id.utf8.reduce(seed &+ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } >> 20
        return hash % 10 == 0 ? allCases[Int(hash / 10 % UInt64(allCases.count))] : nil
    }

    func reaction(_ answer: Origin.Reaction, _ execute: () -> Void) -> Origin.Reaction {
        switch self {
        case .closeBefore: return .close
        case .resetBefore: return .reset
        case .closeAfter, .resetAfter:
            execute()
            return self == .closeAfter ? .close : .reset
        case .truncate:
            execute()
            return .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart")), .close])
        case .slow:
            execute()
            return .delay(0.02, answer)
        }
    }
}

@Suite("With origins that fail at random", .blocking)
struct Chaos {
    @Test("no POST is executed twice, no answer goes astray, and most requests succeed", arguments: [1, 2, 3] as [UInt64])
    func ledger(_ seed: UInt64) throws {
        let ledger = Ledger()
        let origins = try (0..<2).map { number in
            try Origin { request in
                let id = request["X-Id"] ?? "none"
                let answer = Origin.Reaction.answer(fields: ["X-Id: \(id)"], body: request.body + Bytes(id))
                guard let mishap = Mishap.of("\(id)/\(number)", seed: seed) else {
                    ledger.execute(id)
                    return answer
                }
                return mishap.reaction(answer) { ledger.execute(id) }
            }
        }
        let site = try Site(
            http: "upstream two { \(origins.map { "server 127.0.0.1:\($0.port) max_fails=0;" }.joined(separator: " ")) keepalive 4; }",
            server: "location / { proxy_pass http://two; \(Site.keepAlive) }")
        defer { site.stop() }

        let complaints = Mutex<[String]>([]), good = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for index in 0..<60 {
                let id = "\(thread)-\(index)", isPost = index % 3 == 0
                guard let reply = try? site.get("/\(id)", ["X-Id: \(id)"], method: isPost ? "POST" : "GET", body: isPost ? Bytes("b") : [])
                else { continue }
                if reply.status == 200 {
                    good.withLock { $0 += 1 }
                    if reply.text != (isPost ? "b" : "") + id || reply["X-Id"] != id { complaints.withLock { $0.append("astray: \(id)") } }
                    if ledger[id] == 0 { complaints.withLock { $0.append("never executed: \(id)") } }
                }
                if isPost && ledger[id] > 1 { complaints.withLock { $0.append("twice: \(id)") } }
            }
        }
        #expect(complaints.withLock { $0 } == [])
        #expect(good.withLock { $0 } >= 200, "of 240")
        let posts = origins.flatMap(\.requests).filter { $0.method == "POST" }.compactMap { $0["X-Id"] }
        #expect(Set(ledger.twice).isDisjoint(with: posts))
        #expect(origins.allSatisfy { $0.malformed.isEmpty })
    }
}
