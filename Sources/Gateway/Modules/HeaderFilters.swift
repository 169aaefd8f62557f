import Config
import Loop
import Wire

/// Which body filters an answer passes, and what subrequests and post actions need.
extension Ref where Value == Request {
    func installBodyFilters() {}
    func postpone(_ piece: Segment?) { if let buffer = piece?.buffer { pool.value.give(buffer) } }
    func subrequestDone() {}
    func runPostAction(closing: Bool) -> Bool { false }
}
