import Machine
import Testing

private let one = IncidentID(rawValue: 1)
private let two = IncidentID(rawValue: 2)

@Suite struct FailureLedgerTests {
    private func add(_ ledger: inout FailureLedger, _ incident: IncidentID, _ reason: ReasonCode, at time: Int64) -> Bool {
        ledger.add(incident, reason, .connecting, time: time) { ("back", "127.0.0.1:1") }
    }

    @Test func `a second has so many records and no more`() {
        var ledger = FailureLedger(recordsMax: 3)
        var taken: [Bool] = []
        for _ in 0..<5 { taken.append(ledger.takeRecord(one, .connReset, now: 10_500)) }
        taken.append(ledger.takeRecord(one, .connReset, now: 11_000))
        #expect(taken == [true, true, true, false, false, true])
    }

    @Test func `like failures share a part of the records, and leave the rest to others`() {
        var ledger = FailureLedger(recordsMax: 5, likeMax: 2)
        func taken(_ incident: IncidentID, _ reason: ReasonCode, at time: Milliseconds) -> [Bool] {
            (0..<3).map { _ in ledger.takeRecord(incident, reason, now: time) }
        }
        #expect(taken(one, .connReset, at: 10_000) == [true, true, false])
        #expect(taken(one, .connectRefused, at: 10_100) == [true, true, false])
        #expect(taken(two, .connReset, at: 10_200) == [true, false, false])
        #expect(taken(two, .connectRefused, at: 10_999) == [false, false, false])
        #expect(taken(one, .connReset, at: 11_000) == [true, true, false])
    }

    @Test func `like failures become one row with its span`() {
        var ledger = FailureLedger()
        var isCounted: [Bool] = []
        for time in [5, 9, 7] as [Int64] { isCounted.append(add(&ledger, one, .connectRefused, at: time)) }
        isCounted.append(add(&ledger, one, .connReset, at: 8))
        isCounted.append(add(&ledger, two, .connectRefused, at: 8))
        #expect(isCounted == Array(repeating: true, count: 5))
        #expect(ledger.attempts.map(\.count) == [3, 1, 1])
        #expect(ledger.attempts[0].first == 5 && ledger.attempts[0].last == 9 && ledger.attempts[0].upstream == "back")
    }

    @Test func `names are asked for once per row`() {
        var ledger = FailureLedger()
        var asked = 0
        for _ in 0..<3 {
            _ = ledger.add(one, .connReset, .sending, time: 0) {
                asked += 1
                return ("", "")
            }
        }
        #expect(asked == 1)
    }

    @Test func `a full table says that it lost a count, and goes on with what it knows`() {
        var ledger = FailureLedger(rowsMax: 1)
        let attempts = [
            add(&ledger, one, .connectRefused, at: 0), add(&ledger, two, .connectRefused, at: 0),
            add(&ledger, one, .connectRefused, at: 0),
        ]
        #expect(attempts == [true, false, true] && ledger.attempts[0].count == 2)
        let requests = [ledger.enter(one), ledger.enter(two), ledger.end(one, isSaved: true)]
        #expect(requests == [true, false, true])
    }

    @Test func `what was told is gone, what was not stays and grows`() {
        var ledger = FailureLedger()
        _ = add(&ledger, one, .connectRefused, at: 0)
        _ = add(&ledger, two, .connectRefused, at: 0)
        _ = ledger.enter(one)
        _ = ledger.end(one, isSaved: false)
        ledger.remove(attempts: 1, requests: 0)
        _ = add(&ledger, two, .connectRefused, at: 1)
        #expect(ledger.attempts.map(\.count) == [2] && ledger.attempts[0].incident == two)
        let row = ledger.requests[0]
        #expect(row.incident == one && row.entered == 1 && row.saved == 0 && row.failed == 1)
        ledger.remove(attempts: 9, requests: 9)
        #expect(ledger.isEmpty)
    }
}
