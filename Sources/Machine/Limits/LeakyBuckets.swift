package import Wire

/// A zone of limit_req: one leaky bucket per key (nginx: ngx_http_limit_req_lookup).
///
/// Unit of an excess: thousandths of a request. Pure: time is a parameter.
package struct LeakyBuckets: ~Copyable {
    private struct Bucket: BitwiseCopyable {
        var excess: Int64
        var last: Milliseconds
    }

    /// What a look-up says.
    package enum Outcome: Equatable, Sendable {
        /// The excess stays within the burst.
        case allowed(excess: Int64)
        /// Over the burst.
        case rejected(excess: Int64)
    }

    private var table: KeyedTable<Bucket>
    /// Requests per 1,000 seconds (`1r/s` is 1000).
    package let rate: Int64

    /// - Parameters:
    ///   - rate: requests per 1,000 seconds, > 0.
    ///   - capacity: most keys held.
    package init(rate: Int, capacity: Int) {
        self.rate = Int64(max(1, rate))
        table = KeyedTable(capacity: capacity)
    }

    package var keyCount: Int { table.count }

    /// Looks at a key, and counts the request if it is allowed.
    /// - Parameters:
    ///   - burst: allowed excess in thousandths.
    ///   - counts: false only looks: several limits are counted together when all allow.
    package mutating func check(_ key: ByteView, burst: Int64, now: Milliseconds, counts: Bool) -> Outcome {
        guard let place = table.find(key) else {
            _ = table.add(key, Bucket(excess: 0, last: counts ? now : 0), mayEvict: { _ in true })
            return .allowed(excess: 0)
        }
        let bucket = table[place]
        // A bucket that was only looked at so far is new.
        let excess = bucket.last == 0 ? 0 : excess(of: bucket, now: now)
        if excess > burst { return .rejected(excess: excess) }
        if counts { table[place] = Bucket(excess: excess, last: now) }
        return .allowed(excess: excess)
    }

    /// How long a request with an excess has to wait, in milliseconds.
    /// - Parameter delay: excess without delay, in thousandths.
    package func delay(excess: Int64, after delay: Int64) -> Milliseconds {
        excess <= delay ? 0 : (excess - delay) * 1000 / rate
    }

    private func excess(of bucket: Bucket, now: Milliseconds) -> Int64 {
        let elapsed = max(0, now - bucket.last)
        return max(0, bucket.excess - rate * elapsed / 1000 + 1000)
    }
}

/// A zone of limit_conn: how many requests are under way per key.
package struct ConnectionCounts: ~Copyable {
    private var table: KeyedTable<Int32>

    package init(capacity: Int) { table = KeyedTable(capacity: capacity) }

    package var keyCount: Int { table.count }

    /// Counts one more for a key.
    /// - Returns: its place for `leave`, or nil if the limit is reached (or there is no room for another key).
    package mutating func enter(_ key: ByteView, limit: Int) -> Int32? {
        guard let place = table.find(key) else { return table.add(key, 1, mayEvict: { _ in false }) }
        guard Int(table[place]) < limit else { return nil }
        table[place] += 1
        return place
    }

    /// One less. The key goes with its last one.
    package mutating func leave(_ place: Int32) {
        table[place] -= 1
        if table[place] <= 0 { table.remove(place) }
    }
}
