import Loop

/// What limit_req and limit_conn keep for a request.
struct LimitState {
}

extension Ref where Value == Request {
    func checkLimits() -> Step { .next }
    func releaseLimits() {}
}
