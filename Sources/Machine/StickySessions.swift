package import Wire

/// The table of `sticky learn`: session id → sticky id of the peer, bounded in number and time.
///
/// Keys are the MD5 of the session id, as in nginx: no session id is kept. Full, the least recently used session goes.
/// One per worker; workers tell each other of new sessions by message (`learn` is the same for own and foreign news).
/// No allocation after init.
package struct StickySessions: ~Copyable {
    package let timeout: Milliseconds
    private var nodes: FixedTable<Session>
    private var buckets: FixedTable<Int32>
    private var first: Int32 = -1
    private var last: Int32 = -1
    private var freeHead: Int32 = -1
    package private(set) var count = 0

    // Not private: Swift 6.3.1 emits broken code in other modules for a private type inside of a ~Copyable one.
    struct Session: BitwiseCopyable {
        var key = SessionDigest(high: 0, low: 0)
        var id = PeerID()
        var idCount: UInt8 = 0
        var lastUse: Milliseconds = 0
        /// When the other workers were last told.
        var toldAt: Milliseconds = 0
        var previous: Int32 = -1
        var next: Int32 = -1
        var chain: Int32 = -1
    }

    /// - Parameters:
    ///   - capacity: sessions; clamped to 1...1,048,576. nginx: about 8,000 per megabyte of the zone.
    ///   - timeout: a session not used so long is forgotten.
    package init(capacity: Int, timeout: Milliseconds) {
        let capacity = min(max(capacity, 1), 1 << 20)
        var bucketCount = 1
        while bucketCount < capacity { bucketCount *= 2 }
        self.timeout = timeout
        nodes = FixedTable(count: capacity, repeating: Session())
        buckets = FixedTable(count: bucketCount, repeating: -1)
        for index in 0..<capacity { nodes[index].next = index + 1 < capacity ? Int32(index + 1) : -1 }
        freeHead = 0
    }

    /// The peer of a session; nil when it is unknown or its time is over. Does not prolong it. O(1).
    package func peer(of session: ByteView, now: Milliseconds) -> (id: PeerID, count: Int)? {
        let node = find(SessionDigest(of: session))
        guard node >= 0 else { return nil }
        let found = nodes[node]
        guard now - found.lastUse < timeout else { return nil }
        return (found.id, Int(found.idCount))
    }

    /// Binds a session to a peer, or binds it anew, and prolongs it. O(1).
    ///
    /// - Parameter creates: false = only an existing session is prolonged.
    /// - Returns: whether the other workers should be told: the session is new or has another peer, or they were not told for an eighth
    ///   of the timeout.
    @discardableResult
    package mutating func learn(_ session: ByteView, id: PeerID, idCount: Int, creates: Bool, now: Milliseconds) -> Bool {
        let key = SessionDigest(of: session)
        let old = find(key)
        var isNews = true
        if old >= 0 {
            isNews = nodes[old].id != id || now - nodes[old].toldAt >= timeout / 8 || now - nodes[old].lastUse >= timeout
        }
        let toldAt = isNews ? now : nodes[old].toldAt
        let node = bind(key, id: id, idCount: idCount, creates: creates, now: now)
        if node < 0 { return false }
        nodes[node].toldAt = toldAt
        return isNews
    }

    /// The same for news from another worker, which carry the MD5 of the session id instead of the id.
    package mutating func learn(
        digest key: SessionDigest, id: PeerID, idCount: Int, creates: Bool, now: Milliseconds
    ) {
        let node = bind(key, id: id, idCount: idCount, creates: creates, now: now)
        if node >= 0 { nodes[node].toldAt = now }
    }

    /// The session's node, -1 if it is not known and `creates` is false.
    private mutating func bind(
        _ key: SessionDigest, id: PeerID, idCount: Int, creates: Bool, now: Milliseconds
    ) -> Int {
        expire(now: now)
        var node = find(key)
        if node < 0 {
            guard creates else { return -1 }
            if freeHead < 0 { drop(Int(last)) }
            node = Int(freeHead)
            freeHead = nodes[node].next
            let bucket = bucket(of: key)
            nodes[node].key = key
            nodes[node].chain = buckets[bucket]
            buckets[bucket] = Int32(node)
            count += 1
        } else {
            unlink(node)
        }
        nodes[node].id = id
        nodes[node].idCount = UInt8(clamping: min(idCount, PeerID.maxCount))
        nodes[node].lastUse = now
        linkFirst(node)
        return node
    }

    /// Forgets sessions past their time: at most 32 per call, so that no call is long. O(1).
    package mutating func expire(now: Milliseconds) {
        var budget = 32
        while last >= 0, now - nodes[Int(last)].lastUse >= timeout, budget > 0 {
            drop(Int(last))
            budget -= 1
        }
    }

    /// Calls `body` for each session, the longest unused first, so that `learn` in the same order rebuilds the table
    /// (for a new worker).
    package func forEach(
        _ body: (_ digest: SessionDigest, _ id: PeerID, _ idCount: Int, _ lastUse: Milliseconds) -> Void
    ) {
        var node = last
        while node >= 0 {
            let session = nodes[Int(node)]
            body(session.key, session.id, Int(session.idCount), session.lastUse)
            node = session.previous
        }
    }

    private func bucket(of key: SessionDigest) -> Int { Int(truncatingIfNeeded: key.high & UInt64(buckets.count - 1)) }

    private func find(_ key: SessionDigest) -> Int {
        var node = buckets[bucket(of: key)]
        while node >= 0 {
            let index = Int(node)
            if nodes[index].key == key { return index }
            node = nodes[index].chain
        }
        return -1
    }

    private mutating func drop(_ node: Int) {
        unlink(node)
        let bucket = bucket(of: nodes[node].key)
        var link = buckets[bucket]
        if link == Int32(node) {
            buckets[bucket] = nodes[node].chain
        } else {
            while link >= 0, nodes[Int(link)].chain != Int32(node) { link = nodes[Int(link)].chain }
            if link >= 0 { nodes[Int(link)].chain = nodes[node].chain }
        }
        nodes[node].next = freeHead
        freeHead = Int32(node)
        count -= 1
    }

    private mutating func unlink(_ node: Int) {
        let old = nodes[node]
        if old.previous >= 0 { nodes[Int(old.previous)].next = old.next } else { first = old.next }
        if old.next >= 0 { nodes[Int(old.next)].previous = old.previous } else { last = old.previous }
    }

    private mutating func linkFirst(_ node: Int) {
        nodes[node].previous = -1
        nodes[node].next = first
        if first >= 0 { nodes[Int(first)].previous = Int32(node) } else { last = Int32(node) }
        first = Int32(node)
    }
}
