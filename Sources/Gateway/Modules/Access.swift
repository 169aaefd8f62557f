import Config
import Loop
import Wire

/// allow and deny, limit_except (nginx: ngx_http_access_module).
extension Ref where Value == Request {
    func checkAccess() -> Step {
        var settings = location.value.settings
        if location.value.hasLimitExcept, location.value.unlimitedMethods & value.method.bit == 0,
            let limited = settings.value.core.limitExcept?.settings {
            value.location = worker.value.http.value.locations[limited.index]
            settings = location.value.settings
        }
        for rule in settings.value.access.rules where rule.range.contains(connection.value.peer) {
            guard rule.isDenied else { return .next }
            log(.error, "access forbidden by rule")
            return .finished(403)
        }
        return .next
    }
}

extension AddressRange {
    /// Whether a client's address is in the range.
    func contains(_ address: SocketAddress) -> Bool {
        address.withAddressBytes { bytes in
            switch self {
            case .all: return true
            case .unix: return bytes.isEmpty
            case .ipv4(let network, let mask):
                if bytes.count == 4 { return word(bytes, 0) & mask == network }
                // An IPv4 client on an IPv6 socket.
                guard bytes.count == 16, word(bytes, 0) == 0, word(bytes, 4) == 0, word(bytes, 8) == 0xffff else { return false }
                return word(bytes, 12) & mask == network
            case .ipv6(let high, let low, let maskHigh, let maskLow):
                guard bytes.count == 16 else { return false }
                return (UInt64(word(bytes, 0)) << 32 | UInt64(word(bytes, 4))) & maskHigh == high
                    && (UInt64(word(bytes, 8)) << 32 | UInt64(word(bytes, 12))) & maskLow == low
            }
        }
    }

    private func word(_ bytes: ByteView, _ offset: Int) -> UInt32 {
        UInt32(bytes[offset]) << 24 | UInt32(bytes[offset + 1]) << 16 | UInt32(bytes[offset + 2]) << 8 | UInt32(bytes[offset + 3])
    }
}
