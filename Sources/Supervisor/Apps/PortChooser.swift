internal import Config
internal import CLinux
internal import Glibc

/// Picks TCP ports for instances: outside the range from which the kernel takes ports for outgoing connections, so
/// that no client socket can sit on one, free now, and not given to another instance.
struct PortChooser {
    /// Ports that instances have.
    private var taken: Set<UInt16> = []
    private var next: UInt16

    /// Ports of instances lie here, unless the kernel's own range covers it.
    private static let preferred: ClosedRange<UInt16> = 20_000...29_999
    /// The ports to choose from.
    let range: ClosedRange<UInt16>

    /// - Parameter ephemeral: The kernel's range (`ip_local_port_range`).
    init(ephemeral: ClosedRange<UInt16>) {
        range = Self.range(outside: ephemeral)
        // Anywhere, so that two supervisors on one host do not try the same ports at the same time.
        next = UInt16.random(in: range)
    }

    /// With the kernel's range as it is now.
    init() {
        let text = String(decoding: (try? System.readFile("/proc/sys/net/ipv4/ip_local_port_range")) ?? [], as: UTF8.self)
        let numbers = text.split { $0 == "\t" || $0 == " " || $0 == "\n" }.compactMap { UInt16($0) }
        self.init(ephemeral: numbers.count == 2 && numbers[0] <= numbers[1] ? numbers[0]...numbers[1] : 32_768...60_999)
    }

    /// The largest piece of the preferred range, else of all unprivileged ports, that is outside the kernel's.
    static func range(outside ephemeral: ClosedRange<UInt16>) -> ClosedRange<UInt16> {
        for whole in [preferred, 1024...65_535] {
            var pieces: [ClosedRange<UInt16>] = []
            if ephemeral.lowerBound > whole.lowerBound {
                pieces.append(whole.lowerBound...min(whole.upperBound, ephemeral.lowerBound - 1))
            }
            if ephemeral.upperBound < whole.upperBound {
                pieces.append(max(whole.lowerBound, ephemeral.upperBound + 1)...whole.upperBound)
            }
            if let best = pieces.max(by: { $0.count < $1.count }), best.count >= 256 { return best }
        }
        // The kernel may use every port: then nothing is safe, and a free one has to do.
        return preferred
    }

    /// A free port; nil when none of the range is.
    mutating func take() -> UInt16? {
        for _ in 0..<range.count {
            let port = next
            next = port == range.upperBound ? range.lowerBound : port + 1
            if !taken.contains(port), Self.isFree(port) {
                taken.insert(port)
                return port
            }
        }
        return nil
    }

    /// Marks a port of an adopted instance.
    mutating func reserve(_ port: UInt16) { taken.insert(port) }

    /// Gives a port back.
    mutating func release(_ port: UInt16) { taken.remove(port) }

    /// Whether an app could bind the port on any address.
    static func isFree(_ port: UInt16) -> Bool {
        for address in [NetworkAddress.ipv4(0, port: port), .ipv6(high: 0, low: 0, port: port)] {
            guard let socket = try? System.streamSocket(for: address) else { continue }
            // As an app would: what lingers in TIME_WAIT is no obstacle, a listener is.
            try? System.setOption(socket.number, level: SOL_SOCKET, name: SO_REUSEADDR, to: 1)
            do throws(SystemError) {
                try System.bind(socket.number, to: address)
            } catch {
                if error.code == EADDRINUSE { return false }
            }
        }
        return true
    }
}
