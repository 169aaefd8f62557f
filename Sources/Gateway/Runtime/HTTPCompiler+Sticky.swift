import Config
import Loop
import Machine
import Wire

extension HTTPCompiler {
    func sticky(_ settings: StickySettings) -> StickyRuntime {
        switch settings {
        case .cookie(let cookie):
            return StickyRuntime(
                method: .cookie, lookup: FixedList([CompiledText(parts: [.variable(Int32(cookie.variable.index))])]),
                create: FixedList(), learnsFromHead: false, zone: "", cookie: compile(cookie),
                sessions: StickySessions(capacity: 1, timeout: 1))
        case .route(let texts):
            return StickyRuntime(
                method: .route, lookup: FixedList(texts.map { compile($0) }), create: FixedList(), learnsFromHead: false, zone: "",
                cookie: nil, sessions: StickySessions(capacity: 1, timeout: 1))
        case .learn(let learn):
            return StickyRuntime(
                method: .learn, lookup: FixedList(learn.lookup.map { compile($0) }), create: FixedList(learn.create.map { compile($0) }),
                learnsFromHead: learn.learnsFromHead, zone: learn.zoneName, cookie: nil,
                sessions: StickySessions(capacity: learn.zoneSize / StickySettings.bytesPerSession, timeout: Machine.Milliseconds(learn.timeout)))
        }
    }

    private func compile(_ cookie: StickySettings.Cookie) -> StickyCookie {
        let expiry: StickyCookie.Expiry
        switch cookie.expires {
        case nil: expiry = .none
        case .some(.max): expiry = .never
        case .some(let seconds): expiry = .after(seconds: Int64(seconds))
        }
        var flags: [UInt8] = []
        if cookie.isHTTPOnly { flags += Array("; httponly".utf8) }
        if cookie.isSecure { flags += Array("; secure".utf8) }
        var path: [UInt8] = []
        if let text = cookie.path?.constant { path = Array("; path=".utf8) + text }
        return StickyCookie(
            start: ByteView.immortal(cookie.name + Array("=".utf8)), expiry: expiry, domain: cookie.domain.map { compile($0) },
            flags: ByteView.immortal(flags), sameSite: cookie.sameSite.map { compile($0) }, path: ByteView.immortal(path))
    }
}
