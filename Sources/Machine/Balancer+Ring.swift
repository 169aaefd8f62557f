import Wire

/// The points of consistent hashing: 160 per unit of weight, compatible with Cache::Memcached::Fast (ketama_points =
/// 160).
struct HashRing {
    /// Ordered by hash, hashes distinct.
    private(set) var points: [Point] = []

    struct Point: BitwiseCopyable {
        var hash: UInt32
        /// Index of the distinct server text.
        var server: Int32
    }

    static let pointsPerWeight = 160
    /// A ring for more than that has the same shares of fewer points: a worker must not count for seconds, or fill the memory.
    static let weightMax = 4096

    /// Builds the ring for servers in the order of the peers. Control path: O(points log points), allocates.
    mutating func build(_ servers: [(text: [UInt8], index: Int32, weight: Int)]) {
        let total = servers.reduce(0) { $0 + $1.weight }
        var built: [Point] = []
        built.reserveCapacity(min(total, HashRing.weightMax + servers.count) * HashRing.pointsPerWeight)
        for server in servers {
            let (host, port) = HashRing.split(server.text)
            var base = CRC32()
            for byte in host { base.update(byte: byte) }
            base.update(byte: 0)
            for byte in port { base.update(byte: byte) }
            var previous: UInt32 = 0
            let weight = total <= HashRing.weightMax ? server.weight : max(1, server.weight * HashRing.weightMax / total)
            for _ in 0..<weight * HashRing.pointsPerWeight {
                var crc = base
                for shift in stride(from: UInt32(0), to: 32, by: 8) {
                    crc.update(byte: UInt8(truncatingIfNeeded: previous >> shift))
                }
                previous = crc.value
                built.append(Point(hash: previous, server: server.index))
            }
        }
        // Where two hashes meet, the earlier server keeps the point.
        let order = built.indices.sorted { (built[$0].hash, $0) < (built[$1].hash, $1) }
        points.removeAll(keepingCapacity: true)
        for index in order where points.last?.hash != built[index].hash { points.append(built[index]) }
    }

    /// Index of the first point at or after the key's hash; the number of points when there is none, which wraps. O(log
    /// points).
    func firstPoint(for key: ByteView) -> UInt32 {
        let hash = CRC32.of(key)
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low &+ high) / 2
            if points[middle].hash < hash { low = middle &+ 1 } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }

    /// Host and port of a server text: the port is the digits after the last colon; "unix:" is cut off.
    private static func split(_ text: [UInt8]) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>) {
        let unix: [UInt8] = [0x75, 0x6E, 0x69, 0x78, 0x3A]
        if text.count >= 5, zip(text, unix).allSatisfy({ asciiLowercase($0) == $1 }) { return (text[5...], []) }
        var index = text.count
        while index > 0 {
            index -= 1
            if text[index] == 0x3A { return (text[..<index], text[(index + 1)...]) }
            if text[index] < 0x30 || text[index] > 0x39 { break }
        }
        return (text[...], [])
    }
}

extension Balancer {
    /// `hash KEY consistent`: the server at the key's point; its peers by round robin; the next point when none of them
    /// may be used.
    mutating func chooseOnRing(_ attempt: inout AttemptState, key: ByteView, hint: ByteView, second: Int64) -> Int {
        if attempt.vainTries > Balancer.vainTriesMax || key.isEmpty {
            return chooseRoundRobin(attempt, hint: hint, second: second)
        }
        let tier = tier(of: attempt)
        if tier.count == 0 || ring.points.isEmpty { return -1 }
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        while attempt.vainTries <= Balancer.vainTriesMax {
            let server = ring.points[Int(attempt.hash) % ring.points.count].server
            var best = -1
            var total = 0
            for place in tier.start..<tier.start &+ tier.count {
                let slot = Int(order[place])
                if peers[slot].serverIndex != server || isTried(attempt, slot) { continue }
                if !peers[slot].isEligible(at: second) { continue }
                total &+= earn(slot)
                if best < 0 || peers[slot].currentWeight > peers[best].currentWeight { best = slot }
            }
            if best >= 0 {
                peers[best].currentWeight &-= total
                return best
            }
            attempt.hash &+= 1
            attempt.vainTries &+= 1
        }
        return chooseRoundRobin(attempt, hint: hint, second: second)
    }
}
