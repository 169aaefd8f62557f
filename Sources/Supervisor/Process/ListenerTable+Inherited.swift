internal import Config
internal import CLinux

extension ListenerTable {
    /// The environment variable by which an old binary hands its listening sockets to the new one (nginx's name and form, `5;6;7;`).
    static let environmentName = "NGINX"

    /// Takes the sockets that an old binary left open, nil when there is none. Sockets with one address become one listener.
    static func inherited(log: ErrorLog) -> ListenerTable? {
        guard let text = System.environment(environmentName) else { return nil }
        System.removeFromEnvironment(environmentName)
        log.write(.notice, "using inherited sockets from \"\(text)\"")
        var table = ListenerTable()
        for number in numbers(in: text, log: log) {
            _ = cs_set_cloexec(number, 1)
            _ = cs_set_nonblocking(number, 1)
            table.inherit(Descriptor(owning: number), log: log)
        }
        return table
    }

    /// Takes a socket that listens already. Its address is what the kernel says.
    mutating func inherit(_ socket: Descriptor, log: ErrorLog) {
        do throws(SystemError) {
            let address = try System.localAddress(of: socket.number)
            if let known = self[address.listenKey] {
                known.sockets.append(socket)
            } else {
                add(Listener(key: address.listenKey, address: address, sockets: [socket], isInherited: true))
            }
        } catch {
            log.write(.alert, "getsockname() of the inherited socket #\(socket.number) failed", error)
        }
    }

    /// The numbers of `5;6;7;`. A bad one ends the list; nothing below 3 is taken.
    static func numbers(in text: String, log: ErrorLog) -> [Int32] {
        var numbers: [Int32] = []
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ";" || $0 == ":" }
        for part in parts.dropLast() {
            guard let number = Int32(part), number > 2 else {
                log.write(
                    .emergency,
                    "invalid socket number \"\(part)\" in \(environmentName) environment variable, ignoring the rest of the variable")
                return numbers
            }
            numbers.append(number)
        }
        if let rest = parts.last, !rest.isEmpty {
            log.write(.emergency, "invalid socket number \"\(rest)\" in \(environmentName) environment variable, ignoring")
        }
        return numbers
    }

    /// The value of the variable for a new binary.
    var inheritance: String { descriptors.map { "\($0);" }.joined() }
}
