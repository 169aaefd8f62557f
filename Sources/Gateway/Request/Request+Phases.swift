import Config
import Loop
import Wire

/// What a step of a request says to the one who drives it.
enum Step {
    /// Go on with the next phase.
    case next
    /// The request waits, or was answered: somebody else goes on with it.
    case suspended
    /// Answer with this status (nginx: a handler's return value).
    case finished(Int)
}

extension Ref where Value == Request {
    /// Runs phases until one waits or answers (nginx: ngx_http_core_run_phases).
    func runPhases() {
        while true {
            let step: Step
            switch value.phase {
            case .serverRewrite:
                step = rewrite(server.value.rewrite)
                if case .next = step { value.phase = .findLocation }
            case .findLocation:
                step = findLocation()
                if case .next = step { value.phase = .rewrite }
            case .rewrite:
                step = rewrite(location.value.rewrite)
                if case .next = step { value.phase = .postRewrite }
            case .postRewrite:
                step = afterRewrite()
            case .preaccess:
                if worker.value.http.value.usesRealIP { applyRealIP() }
                step = location.value.hasLimits ? checkLimits() : .next
                if case .next = step { value.phase = .access }
            case .access:
                step = isMain && (location.value.hasAccessRules || location.value.hasLimitExcept) ? checkAccess() : .next
                if case .next = step { value.phase = .tryFiles }
            case .tryFiles:
                step = location.value.hasTryFiles ? tryFiles() : .next
                if case .next = step { value.phase = .content }
            case .content:
                value.phase = .responding
                return produceContent()
            case .readingHead, .responding, .finished:
                return
            }
            switch step {
            case .next: continue
            case .suspended: return
            case .finished(let status): return finish(.status(status))
            }
        }
    }

    /// A rewrite changed the URI: search again, at most ten times (nginx: uri_changes).
    private func afterRewrite() -> Step {
        guard value.isURIChanged else {
            value.phase = .preaccess
            return .next
        }
        value.isURIChanged = false
        value.uriChangesLeft -= 1
        guard value.uriChangesLeft > 0 else {
            log(.error, "rewrite or internal redirection cycle while processing \"\(value.uri.string)\"")
            return .finished(500)
        }
        value.location = server.value.location
        value.phase = .findLocation
        return .next
    }

    private func findLocation() -> Step {
        let tree = server.value.locations
        let outcome = search(tree)
        switch outcome {
        case .redirect(let location):
            value.location = location
            return redirectTo(escapedPath(location.value.name), arguments: value.arguments)
        case .found(let location): value.location = location
        case .none: value.location = server.value.location
        case .undecided: return .finished(500)
        }
        if location.value.isInternal, !value.isInternal { return .finished(404) }
        updateKeepalive()
        if value.body.declaredLength > location.value.bodySizeMax, location.value.bodySizeMax > 0, !value.isInternal || isMain && value.body.isUnread {
            if !value.body.isTooLarge {
                log(.error, "client intended to send too large body: \(value.body.declaredLength) bytes")
                refuseBody()
                return .finished(413)
            }
        }
        return .next
    }

    private enum Found { case found(Ref<Location>), redirect(Ref<Location>), none, undecided }

    /// nginx's order: exact, longest prefix (then nested in it), `^~` stops, regular expressions in order, else the prefix.
    private func search(_ tree: LocationTree) -> Found {
        var prefix: Ref<Location>?
        switch tree.findStatic(value.uri) {
        case .exact(let location): return .found(location)
        case .redirect(let location): return .redirect(location)
        case .none: break
        case .prefix(let location, let stopsRegex):
            prefix = location
            value.location = location
            if let children = location.value.children {
                switch search(children) {
                case .found(let inner):
                    return .found(inner)
                case .redirect(let inner): return .redirect(inner)
                case .undecided: return .undecided
                case .none: break
                }
            }
            if stopsRegex { return .found(location) }
        }
        for index in tree.regexes.indices {
            let regex = tree.regexes[index]
            switch decide(regex.pattern, value.uri) {
            case .noMatch: continue
            case .undecided: return .undecided
            case .match: break
            }
            value.location = regex.location
            guard let children = regex.location.value.children else { return .found(regex.location) }
            switch search(children) {
            case .found(let inner): return .found(inner)
            case .undecided: return .undecided
            case .redirect, .none: return .found(regex.location)
            }
        }
        return prefix.map { .found($0) } ?? .none
    }

    /// Redirects with 301 to a path of this server.
    func redirectTo(_ path: ByteView, arguments: ByteView) -> Step {
        var target = path
        if !arguments.isEmpty {
            let scratch = pool.value.take(1024)
            scratch.append(path)
            scratch.append(0x3f)
            scratch.append(arguments)
            target = keep(scratch.view)
            pool.value.give(scratch)
        }
        value.response.location = target
        return .finished(301)
    }

    /// A path as it stands in a URL.
    func escapedPath(_ path: ByteView) -> ByteView {
        guard URI.needsEscape(path, .uri) else { return path }
        return compose { out in
            out.write(reserving: path.count * 3) { writer in
                URI.escape(path, .uri, into: &writer)
            }
        }
    }

    /// Starts over with another URI inside the server (nginx: ngx_http_internal_redirect).
    func internalRedirect(to uri: ByteView, arguments: ByteView) {
        value.uriChangesLeft -= 1
        guard value.uriChangesLeft > 0 else {
            log(.error, "rewrite or internal redirection cycle while internally redirecting to \"\(uri.string)\"")
            return finish(.status(500))
        }
        value.uri = uri
        value.arguments = arguments
        value.isInternal = true
        value.isURIValidUnparsed = false
        value.isURIChanged = false
        value.addsPathToAlias = false
        value.isLocationValid = true
        leaveContent()
        value.location = server.value.location
        value.phase = .serverRewrite
        runPhases()
    }

    /// Goes on in a named location (`@name`), keeping the URI.
    func redirectToNamed(_ name: ByteView) {
        value.uriChangesLeft -= 1
        guard value.uriChangesLeft > 0 else {
            log(.error, "rewrite or internal redirection cycle while redirect to named location \"\(name.string)\"")
            return finish(.status(500))
        }
        guard !value.uri.isEmpty else {
            log(.error, "empty URI in redirect to named location \"\(name.string)\"")
            return finish(.status(500))
        }
        guard let location = server.value.locations.findNamed(name) else {
            log(.error, "could not find named location \"\(name.string)\"")
            return finish(.status(500))
        }
        leaveContent()
        value.isInternal = true
        value.location = location
        updateKeepalive()
        value.isURIChanged = false
        value.phase = .rewrite
        runPhases()
    }

    /// Gives up what the abandoned content handler had set up.
    private func leaveContent() {
        if let exchange = value.exchange, !exchange.value.isFinished { exchange.detach() }
        value.modules.leaveContent()
    }

    /// The content phase: whoever the location says.
    private func produceContent() {
        let location = location
        if location.value.proxy != nil { return startProxy() }
        switch location.value.settings.value.handler {
        case .proxy: startProxy()
        case .files: serveFile()
        case .stubStatus: serveStubStatus()
        case .emptyGIF: serveEmptyGIF()
        case .upstreamHealth(let index): serveUpstreamHealth(of: index)
        case .api: finish(.status(501))
        }
    }

    /// Goes on after a wait (timer, freed slot, posted).
    func resume() {
        let what = value.resumption
        value.resumption = .none
        switch what {
        case .none: break
        case .runPhases:
            value.isDelayed = false
            runPhases()
        case .flush:
            value.isDelayed = false
            flush()
        case .resolve: resolveTimedOut()
        case .upstream: value.exchange?.goOnAfterParking()
        }
    }
}
