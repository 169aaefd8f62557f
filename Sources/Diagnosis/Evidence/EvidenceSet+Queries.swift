import Machine

/// How a peer is known to belong to a backend.
package struct BackendLink: Sendable, Hashable {
    /// The unit; only its name is set when systemd did not show it.
    package var unit: UnitState
    /// "listens there now", "its ExecStart names port 3000", …: shown as evidence.
    package var how: String
    /// The command or file that shows it.
    package var source: String
    /// Whether the link is an observation rather than a likeness of numbers.
    package var isObserved: Bool
    /// Whether the unit itself has said that it listens there: it has, at some time.
    package var isClaim = false
    /// Which of several applications in the unit serves the peer, as `LifeEvent.member` names it; nil: not known.
    package var member: String?
    /// Whether the unit has one listening socket, so that there is but one pool in it.
    package var hasOneSocket = false
}

extension EvidenceSet {
    /// Listening sockets that a connection to `peer` would reach.
    package func listeners(for peer: PeerAddress) -> [Listener] {
        if peer.isUnixSocket { return (unixListeners.value ?? []).filter { $0.accepts(peer) } }
        let v6Only = host.value?.bindV6Only ?? false
        return (listeners.value ?? []).filter { $0.accepts(peer, v6Only: v6Only) }
    }

    /// Whether the table that would show a listener for `peer` was read.
    package func knowsListeners(for peer: PeerAddress) -> Bool {
        peer.isUnixSocket ? unixListeners.value != nil : peer.isIP && listeners.value != nil
    }

    /// Where a person sees the table that `listeners(for:)` reads.
    package func listenerSource(for peer: PeerAddress) -> String {
        peer.isUnixSocket ? unixListeners.source : listeners.source
    }

    /// Listeners on the same port under another address.
    package func samePort(as peer: PeerAddress) -> [Listener] {
        guard let port = peer.port else { return [] }
        return (listeners.value ?? []).filter { $0.address.port == port }
    }

    /// The units that serve the failing peer, the surest link first.
    package func backends(of failure: FailureCase) -> [BackendLink] {
        backends(of: failure.peer, ownUnit: failure.ownUnit, since: failure.first)
    }

    /// The units that serve a peer, the surest link first.
    /// - Parameter first: when the failures began; nil: who serves it now.
    package func backends(of peer: PeerAddress?, ownUnit: String? = nil, since first: Timestamp? = nil) -> [BackendLink] {
        links(to: peer, ownUnit: ownUnit, since: first).map { link in
            var link = link
            let sockets = ((listeners.value ?? []) + (unixListeners.value ?? [])).filter { $0.owner?.unit == link.unit.name }
            link.hasOneSocket = Set(sockets.map(\.inode)).count == 1
            link.member = peer.flatMap(member)
            return link
        }
    }

    /// The application of PM2, or the pool of php-fpm, that serves a peer, as far as ports and processes tell.
    private func member(serving peer: PeerAddress) -> String? {
        let owner = listeners(for: peer).first?.owner
        let app = (apps.value ?? []).first { app in
            peer.port.map(app.ports.contains) ?? false
                || owner.map { app.pid != 0 && (app.pid == $0.pid || app.pid == $0.parent) } ?? false
        }
        return app?.name ?? owner.flatMap { LineText($0.commandLine).after("php-fpm: pool ") }.map { "pool \($0.word.string)" }
    }

    /// Whether an event tells of the backend behind a link; nil: of its unit, but it is not known of which application in it.
    package func tells(_ event: LifeEvent, of link: BackendLink) -> Bool? {
        guard Self.event(event, belongsTo: link.unit) else { return false }
        guard let member = event.member else { return true }
        if member.hasPrefix("pool "), link.hasOneSocket { return true }
        return link.member.map { $0 == member }
    }

    private func links(to peer: PeerAddress?, ownUnit: String?, since first: Timestamp?) -> [BackendLink] {
        let known = (units.value ?? []) + (own.map { [$0.unit] } ?? [])
        var links: [BackendLink] = []
        func add(_ name: String, _ how: String, from source: String? = nil, observed: Bool, claim: Bool = false) {
            guard !links.contains(where: { $0.unit.name == name }) else { return }
            // A unit that systemd did not show is still a name that the journal's events carry.
            let unit = known.first { $0.name == name } ?? UnitState(name: name)
            let source = source ?? RuleSupport.unitSource(unit)
            links.append(BackendLink(unit: unit, how: how, source: source, isObserved: observed, isClaim: claim))
        }
        if let own = ownUnit { add(own, "it is the configured app", observed: true) }
        guard let peer else { return links }
        for listener in listeners(for: peer) {
            guard let name = listener.owner?.unit,
                name.hasSuffix(".service") || known.contains(where: { $0.name == name })
            else { continue }
            let how = "\(listener.owner?.text ?? name) listens on \(listener.address.text)"
            add(name, how, from: listenerSource(for: listener.address), observed: true)
        }
        if let port = peer.port {
            let serving = known.filter { Self.serves(port: port, $0) }
            // Who has listened there since before the failures is the backend, else who said so last: an older line is of a predecessor.
            let holder = listeners(for: peer).first?.owner
            let isHeld = holder?.unit != nil && holder?.started.map { $0 <= first ?? $0 } ?? false
            // In another network namespace the number means another socket: who said so there comes after who was here at that time.
            let elsewhere = Set((foreignListeners.value ?? []).filter { $0.address.port == port }.compactMap { $0.owner?.unit })
            var claiming: [String] = [], aside: [String] = [], asideAt: Timestamp?
            for event in (journal.value ?? []).reversed() {
                guard case .listening(port) = event.kind, let name = event.unit, Self.speaksForItself(name),
                    !isHeld || name == holder?.unit
                else { continue }
                if elsewhere.contains(name) {
                    if !aside.contains(name) { aside.append(name) }
                    if event.time <= first ?? event.time { asideAt = asideAt ?? event.time }
                    continue
                }
                if let asideAt, !isAlive(name, after: asideAt) { break }
                if !claiming.contains(name) { claiming.append(name) }
                if event.time <= first ?? event.time { break }
            }
            let hasOne = (claiming.isEmpty ? aside : claiming).count == 1
            claiming += aside
            // A log line is text: it counts as seen only if nothing else contradicts it.
            let isSure = links.isEmpty
            for name in claiming {
                let isOnly = serving.isEmpty ? hasOne && name == claiming.first : serving.allSatisfy { $0.name == name }
                add(name, "its log says it listens on port \(port)", from: "journalctl -u \(name)", observed: isSure && isOnly, claim: true)
            }
            for unit in serving {
                add(unit.name, "its ExecStart or Environment names port \(port)", observed: false)
            }
        }
        if case .unix(let path) = peer {
            // All versions of php-fpm have one directory, with a socket each: only that of a single unit, which is down, tells whose it is.
            let owners = known.filter { !$0.runtimeDirectory.isEmpty && path.hasPrefix("/run/\($0.runtimeDirectory)/") }
            for unit in owners {
                add(unit.name, "its RuntimeDirectory= holds \(path)", observed: owners.count == 1 && unit.activeState != "active")
            }
            for unit in known where Self.serves(path: path, unit) {
                add(unit.name, "its ExecStart or Environment names \(path)", observed: false)
            }
        }
        return links
    }

    /// Whether a unit ran at a time, as far as its state and the journal tell.
    private func isAlive(_ unit: String, after time: Timestamp) -> Bool {
        if units.value?.first(where: { $0.name == unit })?.activeState == "active" { return true }
        return (journal.value ?? []).contains { event in
            if case .listening = event.kind { return false }
            return event.unit == unit && event.time >= time
        }
    }

    /// Whether what stands in a unit's log is said by the unit: an engine's has the lines of all its containers, a user's manager those of
    /// all his programs.
    private static func speaksForItself(_ unit: String) -> Bool {
        unit.hasSuffix(".service") && !unit.hasPrefix("user@") && !ContainerName.isEngine(unit)
    }

    /// Whether the proxy speaks TLS to the upstream, as the configuration or the failures tell.
    package func wantsTLS(_ failure: FailureCase) -> Bool {
        let scheme = upstream.value?.scheme ?? "http"
        return scheme == "https" || scheme == "grpcs" || failure.has([.tlsHandshake])
    }

    /// Whether a text names a port as a number of its own: `:3000`, `=3000`, ` 3000`, not `30001` and not `v1.3000`.
    package static func names(port: UInt16, in text: String) -> Bool {
        let bytes = Array(text.utf8), wanted = Array(String(port).utf8)
        guard wanted.count >= 2, bytes.count >= wanted.count else { return false }
        for start in 0...(bytes.count - wanted.count) where bytes[start..<(start + wanted.count)].elementsEqual(wanted)
        {
            let before = start == 0 ? 32 : bytes[start - 1]
            let end = start + wanted.count
            let after = end == bytes.count ? 32 : bytes[end]
            let opens = before == 32 || before == 58 || before == 61 || before == 34 || before == 39 || before == 44
            let closes =
                !(after >= 48 && after <= 57) && after != 46 && !(after >= 97 && after <= 122)
                && !(after >= 65 && after <= 90)
            if opens, closes { return true }
        }
        return false
    }

    /// Whether a complaint names a port, as `:::9090`, `127.0.0.1:80`, `tcp :80`, `('127.0.0.1', 80)` or `port 80`; a time and a place in a
    /// program (`10:00:42`, `app.js:42`) are none.
    package static func namesPort(in complaint: String) -> Bool {
        func isHost(_ text: Substring) -> Bool {
            text.isEmpty || text == "*" || text == "localhost" || text.hasSuffix(":") || PeerAddress.parseIPv4(text) != nil
        }
        var last: Substring = "-"
        for word in complaint.split(whereSeparator: { " \t\"'()[],;".contains($0) }) {
            var word = word
            while word.last == ":" || word.last == "." { word.removeLast() }
            let colon = word.lastIndex(of: ":")
            let (host, port) = colon.map { (word[..<$0], word[word.index(after: $0)...]) } ?? (last, word)
            if UInt16(port) ?? 0 > 9, isHost(host) || host.lowercased() == "port" { return true }
            last = word
        }
        return false
    }

    /// Whether a unit's command line or environment names a port as one to serve. A URL, and an option or a variable that names
    /// whom it asks (`--redis 10.0.0.1:6379`, `API_ADDRESS=127.0.0.1:3000`, `DB_PORT=5432`), say nothing of that.
    package static func serves(port: UInt16, _ unit: UnitState) -> Bool {
        serves(unit) { value in
            // `3000:80` and `3000:db:5432` forward the first of the two.
            if let colon = value.firstIndex(of: ":"), let first = UInt16(value[..<colon]) { return first == port }
            return !value.contains("://") && names(port: port, in: String(value))
        }
    }

    /// The same for the path of a unix socket.
    package static func serves(path: String, _ unit: UnitState) -> Bool {
        serves(unit) { value in
            let value = value.drop { "\"'".contains($0) }
            for start in ["unix://", "unix:", ""] where value.hasPrefix(start + path) {
                // What may follow: a quote, Puma's ?umask=, uWSGI's mode behind a colon.
                return value.dropFirst(start.count + path.count).first.map { "\"'?:,;".contains($0) } ?? true
            }
            return false
        }
    }

    /// Whether a value that names what a unit serves is one that is asked for.
    private static func serves(_ unit: UnitState, _ isAsked: (Substring) -> Bool) -> Bool {
        var option: Substring?
        for word in unit.execStart.split(separator: " ") {
            let (name, value) = split(word)
            if word.hasPrefix("-"), value == nil { option = name; continue }
            let isServed = word.hasPrefix("-") ? isServed(option: name) : option.map(isServed(option:)) ?? true
            option = nil
            if isServed, isAsked(word.hasPrefix("-") ? value ?? "" : word) { return true }
        }
        return unit.environment.split(separator: " ").contains { word in
            let (name, value) = split(word)
            return isServed(variable: name) && isAsked(value ?? "")
        }
    }

    /// `name=value`.
    private static func split(_ word: Substring) -> (name: Substring, value: Substring?) {
        guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (word[..<equals], word[word.index(after: equals)...])
    }

    /// `-p`, `-s`, `--port`, `--http`, `--uds`, `-Dserver.port`, and what would be served as a variable.
    private static func isServed(option: Substring) -> Bool {
        var name = option.drop { $0 == "-" }
        if name.first == "D", name.dropFirst().first?.isLowercase ?? false { name = name.dropFirst() }
        return ["p", "b", "l", "a", "s", "http", "https", "uds"].contains(name) || isServed(variable: name)
    }

    /// PORT, HTTP_PORT, httpPort, LISTEN_ADDRESS, BIND, ADDR, SOCKET, …
    private static func isServed(variable: Substring) -> Bool {
        var words: [String] = [], last: Character = "_"
        for character in variable where character != "\"" {
            if !character.isLetter && !character.isNumber { last = "_"; continue }
            if last == "_" || character.isUppercase && last.isLowercase { words.append("") }
            words[words.count - 1] += character.uppercased()
            last = character
        }
        if words.contains(where: { $0.hasPrefix("LISTEN") || $0.hasPrefix("BIND") }) { return true }
        let own: Set<String> = ["HTTP", "HTTPS", "WEB", "APP", "SERVER", "SERVICE", "NODE", "HOST", "UNIX"]
        guard let last = words.last, ["PORT", "ADDR", "ADDRESS", "SOCKET", "SOCK"].contains(last) else { return false }
        return words.dropLast().allSatisfy { own.contains($0) } && (!last.hasPrefix("ADDR") || words.count == 1)
    }

    /// Nothing of a kind stands in the journal: that rules a cause out only if the journal of that time was read.
    package func notLogged(_ why: String, at failure: FailureCase) -> RuleOutcome {
        guard journal.value != nil else { return .undecided(journal.unavailableBecause ?? "the journal was not read") }
        if let journalFrom, journalFrom > failure.first.advanced(byMilliseconds: -60_000) {
            return .undecided("the journal before \(journalFrom.text) was not read")
        }
        return .ruledOut(why)
    }

    /// Whether an event belongs to a unit: by its name, or by a cgroup path that ends in it.
    package static func event(_ event: LifeEvent, belongsTo unit: UnitState) -> Bool {
        if let name = event.unit { return name == unit.name }
        return event.cgroup.map { isOf(cgroup: $0, unit) } ?? false
    }

    /// Whether a control group is a unit's, or lies in it. Where the unit's own is not known, as when it is down, it is that of a system
    /// unit: slices and then its name. Users' managers, and those in containers and machines, have units of the same names.
    /// - Parameter isFromOutside: whether the group may be named from a root above the unit's.
    package static func isOf(cgroup: String, _ unit: UnitState, fromOutside isFromOutside: Bool = false) -> Bool {
        if isFromOutside {
            let group = unit.controlGroup.isEmpty ? ".slice/" + unit.name : unit.controlGroup
            return cgroup.hasSuffix(group) || cgroup.contains(group + "/")
        }
        if !unit.controlGroup.isEmpty { return cgroup == unit.controlGroup || cgroup.hasPrefix(unit.controlGroup + "/") }
        return cgroup.split(separator: "/").first { !$0.hasSuffix(".slice") }.map(String.init) == unit.name
    }
}
