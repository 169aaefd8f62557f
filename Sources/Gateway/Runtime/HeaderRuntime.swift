import Config
import Loop
import Wire

/// add_header, expires and add_trailer of a location, compiled. Immortal.
struct HeaderRuntime: ~Copyable {
    /// How a field comes to those that are there.
    enum Kind: UInt8 {
        case append
        /// Replaces the field that is there; an empty value removes it.
        case lastModified, etag
    }

    struct Added {
        let name: ByteView
        let token: HeaderToken
        let text: CompiledText
        /// Whatever the status.
        let isAlways: Bool
        let kind: Kind
    }

    let headers: FixedList<Added>
    let trailers: FixedList<Added>
    let expires: Expires
    let hasExpires: Bool
}

extension HTTPCompiler {
    func compileHeaders(_ location: Ref<Location>) {
        let settings = location.value.settings.value.headers
        if settings.headers.isEmpty, settings.trailers.isEmpty, settings.expires == .off { return }
        location.value.headers = Ref.immortal(HeaderRuntime(
            headers: FixedList(settings.headers.map { added($0, isTrailer: false) }),
            trailers: FixedList(settings.trailers.map { added($0, isTrailer: true) }), expires: settings.expires,
            hasExpires: settings.expires != .off))
    }

    private func added(_ settings: HeaderSettings.Added, isTrailer: Bool) -> HeaderRuntime.Added {
        let name = ByteView.immortal(settings.name)
        let token = HeaderToken.lookup(name)
        var kind = HeaderRuntime.Kind.append
        if !isTrailer {
            if token == .lastModified { kind = .lastModified }
            if token == .etag { kind = .etag }
        }
        return HeaderRuntime.Added(name: name, token: token, text: compile(settings.value), isAlways: settings.isAlways, kind: kind)
    }
}
