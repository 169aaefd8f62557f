import Loop
import Wire

/// One step between the handler that makes a body and the socket (gzip, ssi, charset …). Only answers that need one have any:
/// plain proxying never comes here.
///
/// A filter gets pieces in order, the last with `isLast`, and passes pieces on with `request.pass(_:isLast:isFlush:after:)`.
protocol BodyFilter: AnyObject {
    /// - Parameters:
    ///   - piece: bytes or a file range; nil for a mere flush or end.
    ///   - index: this filter's place, to be given on to `pass`.
    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int)
}
