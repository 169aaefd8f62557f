import Wire

extension Balancer {
    /// Vain tries after which a hashing or random policy gives up and goes by round robin.
    static let vainTriesMax: UInt8 = 20

    /// `hash KEY`: compatible with Cache::Memcached: the 15 middle bits of the CRC-32 of an optional rehash number and
    /// the key, summed up.
    mutating func chooseByHash(_ attempt: inout AttemptState, key: ByteView, hint: ByteView, second: Int64) -> Int {
        let tier = tier(of: attempt)
        if attempt.vainTries > Balancer.vainTriesMax || tier.count < 2 || tier.totalWeight <= 0 || key.isEmpty {
            return chooseRoundRobin(attempt, hint: hint, second: second)
        }
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        while attempt.vainTries <= Balancer.vainTriesMax {
            var crc = CRC32()
            if attempt.rehash > 0 { crc.addDecimal(attempt.rehash) }
            crc.update(key)
            attempt.hash &+= (crc.value >> 16) & 0x7FFF
            attempt.rehash &+= 1
            let slot = slot(inTier: tier, atWeight: Int(attempt.hash) % tier.totalWeight)
            if !isTried(attempt, slot), peers[slot].isEligible(at: second) { return slot }
            attempt.vainTries &+= 1
        }
        return chooseRoundRobin(attempt, hint: hint, second: second)
    }

    /// `ip_hash`: a rolling hash over the first three bytes of an IPv4 address, or all of an IPv6 one.
    mutating func chooseByAddress(_ attempt: inout AttemptState, address: ByteView, hint: ByteView, second: Int64)
        -> Int
    {
        let tier = tier(of: attempt)
        if attempt.vainTries > Balancer.vainTriesMax || tier.count < 2 || tier.totalWeight <= 0 {
            return chooseRoundRobin(attempt, hint: hint, second: second)
        }
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        var hash = attempt.hash
        while attempt.vainTries <= Balancer.vainTriesMax {
            switch address.count {
            case 4: hash = IPHash.hash(address.prefix(3), previous: hash)
            case 16: hash = IPHash.hash(address, previous: hash)
            // A client without an address, by a Unix-domain socket.
            default: hash = IPHash.hash("\0\0\0", previous: hash)
            }
            let slot = slot(inTier: tier, atWeight: Int(hash) % tier.totalWeight)
            if !isTried(attempt, slot), peers[slot].isEligible(at: second) {
                attempt.hash = hash
                return slot
            }
            attempt.vainTries &+= 1
        }
        return chooseRoundRobin(attempt, hint: hint, second: second)
    }

    /// The peer whose share of the tier's weights holds `weight`, 0 <= weight < totalWeight.
    private func slot(inTier tier: Tier, atWeight weight: Int) -> Int {
        var rest = weight
        for place in tier.start..<tier.start &+ tier.count {
            let slot = Int(order[place])
            if rest < peers[slot].weight { return slot }
            rest &-= peers[slot].weight
        }
        return Int(order[tier.start])
    }
}

extension CRC32 {
    /// Adds the decimal digits of a number. O(digits).
    mutating func addDecimal(_ number: UInt32) {
        var divisor: UInt32 = 1
        while number / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            update(byte: UInt8(truncatingIfNeeded: number / divisor % 10) &+ 0x30)
            divisor /= 10
        }
    }
}
