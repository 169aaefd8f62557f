import Wire

extension Balancer {
    /// Replaces the peers. Peers with unchanged name, server text, tier and route keep index, failures, connections and
    /// weights as far as these were not changed; removed ones stay valid for the attempts that run on them and then
    /// leave.
    ///
    /// Control path: may allocate (more slots when the peers do not fit, the hash ring).
    /// - Parameter now: new peers with `slow_start` begin it now; negative = they begin with their whole weight.
    /// - Returns: the index of each peer, in the order of `list`.
    package mutating func update(peers list: [PeerSettings], now: Milliseconds = -1) -> [Int] {
        var wanted = list.map { PeerIdentity($0) }
        var seen: [PeerIdentity: Int] = [:]
        for index in wanted.indices {
            let ordinal = seen[wanted[index], default: 0]
            seen[wanted[index]] = ordinal + 1
            wanted[index].ordinal = ordinal
        }
        var known: [PeerIdentity: Int] = [:]
        for slot in 0..<capacity where peers[slot].isUsed && !peers[slot].isRemoved { known[names[slot]] = slot }
        let keep = Set(wanted)
        for (identity, slot) in known where !keep.contains(identity) { remove(slot) }

        var slots: [Int] = []
        slots.reserveCapacity(list.count)
        for (settings, identity) in zip(list, wanted) {
            if let slot = known[identity] {
                configure(slot, settings)
                slots.append(slot)
            } else {
                let slot = freeSlot()
                peers[slot] = Peer()
                peers[slot].isUsed = true
                peers[slot].isBackup = settings.isBackup
                peers[slot].weight = PeerSettings.clampedWeight(settings.weight)
                peers[slot].effectiveWeight = peers[slot].weight
                names[slot] = identity
                setID(slot, identity)
                configure(slot, settings)
                if now >= 0 { startSlowly(slot, now: now) }
                slots.append(slot)
            }
        }
        arrange(slots)
        return slots
    }

    /// Writes settings to a peer's account, leaving its history alone.
    private mutating func configure(_ slot: Int, _ settings: PeerSettings) {
        let weight = PeerSettings.clampedWeight(settings.weight)
        if weight != peers[slot].weight {
            peers[slot].weight = weight
            peers[slot].effectiveWeight = weight
        }
        peers[slot].maxConnections = max(0, settings.maxConnections)
        peers[slot].maxFails = max(0, settings.maxFails)
        peers[slot].failTimeout = Int64(min(max(0, settings.failTimeoutSeconds), Int(Int32.max)))
        peers[slot].slowStart = max(0, settings.slowStart)
        var flags = peers[slot].flags.subtracting([.down, .draining])
        if settings.isDown { flags.insert(.down) }
        if settings.isDraining { flags.insert(.draining) }
        peers[slot].flags = flags
    }

    /// Rebuilds order, sums, server indices and the ring from the slots in the order of configuration.
    private mutating func arrange(_ slots: [Int]) {
        primary = Tier()
        backup = Tier()
        backup.start = capacity
        hasConnectionLimits = false
        var servers: [[UInt8]: Int32] = [:]
        var ringServers: [(text: [UInt8], index: Int32, weight: Int)] = []
        for slot in slots {
            if peers[slot].isBackup {
                backup = appending(slot, to: backup)
            } else {
                primary = appending(slot, to: primary)
                let text = names[slot].server
                let index = servers[text] ?? Int32(servers.count)
                servers[text] = index
                peers[slot].serverIndex = index
                ringServers.append((text, index, peers[slot].weight))
            }
            if peers[slot].maxConnections > 0 { hasConnectionLimits = true }
        }
        if settings.policy == .consistentHash { ring.build(ringServers) }
    }

    private mutating func appending(_ slot: Int, to tier: Tier) -> Tier {
        var tier = tier
        order[tier.start + tier.count] = Int32(slot)
        ranges[tier.start + tier.count] = tier.totalWeight
        tier.count += 1
        tier.totalWeight += peers[slot].weight
        if peers[slot].flags.isDisjoint(with: [.down, .draining]) { tier.tries += 1 }
        return tier
    }

    private mutating func remove(_ slot: Int) {
        peers[slot].isRemoved = true
        peers[slot].idCount = 0
        if peers[slot].connections == 0 { free(slot) }
    }

    /// Makes a slot free for another peer.
    mutating func free(_ slot: Int) {
        peers[slot] = Peer()
        names[slot] = PeerIdentity()
        if settings.neverEmpty { errorShares[slot] = ErrorShare() }
    }

    private mutating func freeSlot() -> Int {
        for slot in 0..<capacity where !peers[slot].isUsed { return slot }
        let slot = capacity
        let wider = capacity * 2
        peers.grow(to: wider, repeating: Peer())
        ids.grow(to: wider, repeating: PeerID())
        order.grow(to: 2 * wider, repeating: -1)
        ranges.grow(to: 2 * wider, repeating: 0)
        if settings.neverEmpty { errorShares.grow(to: wider, repeating: ErrorShare()) }
        names.append(contentsOf: repeatElement(PeerIdentity(), count: wider - slot))
        return slot
    }

    /// The sticky id: the route if there is one, else the MD5 of the printable address in hex.
    private mutating func setID(_ slot: Int, _ identity: PeerIdentity) {
        if !identity.route.isEmpty {
            ids[slot] = PeerID(bytes: identity.route)
            peers[slot].idCount = UInt8(min(identity.route.count, PeerID.maxCount))
        } else if !identity.name.isEmpty {
            ids[slot] = PeerID(digest: SessionDigest(of: identity.name))
            peers[slot].idCount = UInt8(PeerID.maxCount)
        }
    }
}

extension PeerIdentity {
    init(_ settings: PeerSettings) {
        self.init(name: settings.name, server: settings.server, route: settings.route, isBackup: settings.isBackup)
    }
}

extension PeerSettings {
    static func clampedWeight(_ weight: Int) -> Int { min(max(weight, 1), 65_535) }
}
