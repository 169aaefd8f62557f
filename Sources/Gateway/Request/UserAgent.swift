import Config
import Loop
import Wire

/// Kinds of browsers that some directives treat apart, told by `User-Agent` (nginx: ngx_http_process_user_agent).
struct UserAgent: OptionSet {
    let rawValue: UInt8

    static let internetExplorer = UserAgent(rawValue: 1 << 0)
    /// 4, 5, and 6 before its security version (`SV1`).
    static let oldInternetExplorer = UserAgent(rawValue: 1 << 1)
    static let chrome = UserAgent(rawValue: 1 << 2)
    /// Safari on a Mac. Chrome says that it is Safari too.
    static let safari = UserAgent(rawValue: 1 << 3)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Those of `keepalive_disable`.
    init(_ browsers: Set<KeepaliveBrowser>) {
        self = browsers.contains(.msie6) ? .oldInternetExplorer : []
        if browsers.contains(.safari) { insert(.safari) }
    }

    init(_ text: ByteView) { self = Self.kinds(text) }

    private static func kinds(_ text: ByteView) -> UserAgent {
        // It used to say that it is an Internet Explorer.
        if text.contains("Opera") { return [] }
        if let start = text.position(of: "MSIE "), text.count - start > 7 {
            return isOld(text.dropFirst(start + 5)) ? [.internetExplorer, .oldInternetExplorer] : .internetExplorer
        }
        if text.contains("Gecko/") { return [] }
        if text.contains("Chrome/") { return .chrome }
        return text.contains("Safari/") && text.contains("Mac OS X") ? .safari : []
    }

    /// - Parameter version: what stands behind `MSIE `, at least three bytes.
    private static func isOld(_ version: ByteView) -> Bool {
        guard version[1] == 0x2e else { return false }
        switch version[0] {
        case 0x34, 0x35: return true
        case 0x36: return !version.dropFirst(3).contains("SV1")
        default: return false
        }
    }
}

extension Ref where Value == Request {
    /// The client's browser.
    var userAgent: UserAgent { field(.userAgent).map { UserAgent($0) } ?? [] }
}

extension ByteView {
    /// Whether a short text occurs. O(n·m).
    func contains(_ text: ByteView) -> Bool { position(of: text) != nil }

    /// Where a short text occurs first. O(n·m).
    func position(of text: ByteView) -> Int? {
        guard let first = text.first else { return 0 }
        var from = 0
        while let hit = firstIndex(of: first, from: from) {
            if count - hit < text.count { return nil }
            if self[hit..<(hit + text.count)] == text { return hit }
            from = hit + 1
        }
        return nil
    }
}
