import Loop
import Wire

/// Bodies of other URIs before and after the answer's own (nginx: ngx_http_addition_filter_module).
final class AdditionFilter: BodyFilter {
    private let before: ByteView
    private let after: ByteView
    private var isStarted = false

    init(before: ByteView, after: ByteView) {
        self.before = before
        self.after = after
    }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        if !isStarted {
            isStarted = true
            if !before.isEmpty { _ = request.startSubrequest(before, arguments: ByteView(), purpose: .include) }
        }
        guard isLast, !after.isEmpty else { return request.pass(piece, isLast: isLast, isFlush: isFlush, after: index) }
        request.pass(piece, isFlush: true, after: index)
        _ = request.startSubrequest(after, arguments: ByteView(), purpose: .include)
        request.pass(nil, isLast: true, after: index)
    }
}

extension Ref where Value == Request {
    func makeAddition(_ runtime: Ref<FilterRuntime>) -> AdditionFilter? {
        guard value.response.status == 200, runtime.value.additionTypes.contains(value.response.contentTypeBare) else { return nil }
        clearForChangedBody(keepsVersion: true)
        return AdditionFilter(before: runtime.value.before, after: runtime.value.after)
    }
}
