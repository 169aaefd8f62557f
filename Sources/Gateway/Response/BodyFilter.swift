import Loop
import Wire

/// One step between the handler that makes a body and the socket (gzip, ssi, charset …). Only answers that need one have any:
/// plain proxying never comes here.
///
/// A filter gets pieces in order, the last with `isLast`, and passes pieces on with `request.pass(_:isLast:isFlush:after:)`.
/// It owns the buffer of each piece it is given: it passes it on, or gives it back.
protocol BodyFilter: AnyObject {
    /// - Parameters:
    ///   - piece: bytes or a file range; nil for a mere flush or end.
    ///   - index: this filter's place, to be given on to `pass`.
    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int)

    /// Holds input back, until there is room for its output or something it waits for has happened. The answer ends only when no
    /// filter does.
    var isHolding: Bool { get }

    /// It needs nothing but room for its output to go on with what it holds.
    var canResume: Bool { get }

    /// There is room again: go on with what is held back, as far as `request.isOutputFull` allows.
    func resume(request: RequestRef, index: Int)

    /// A subrequest of this request has ended.
    func subrequestEnded(_ child: RequestRef, request: RequestRef, index: Int)
}

extension BodyFilter {
    var isHolding: Bool { false }
    var canResume: Bool { true }
    func resume(request: RequestRef, index: Int) {}
    func subrequestEnded(_ child: RequestRef, request: RequestRef, index: Int) {}
}
