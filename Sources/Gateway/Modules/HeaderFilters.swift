import Config
import Loop
import Wire

/// Which body filters an answer passes, and what subrequests and post actions need.
extension Ref where Value == Request {
    func runPostAction(closing: Bool) -> Bool { false }
}
