internal import Machine

/// The environment of an instance: what the issue of supervised apps names, and nothing else.
enum AppEnvironment {
    /// Why it could not be made.
    enum Failure: Error, Equatable {
        case unreadable(path: String, SystemError)
        case unsuitable(path: String, reason: String)
        case malformed(path: String, EnvironmentFile.Malformed)
    }

    /// What an instance gets as its address.
    enum Address: Equatable {
        case none
        case port(UInt16)
        case path(String)
    }

    /// PATH where there is none.
    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Builds the list; a later definition of a name replaces an earlier one.
    ///
    /// - Parameters:
    ///   - inherited: The supervisor's own environment, of which PATH, LANG and TZ are taken, and what `env NAME` names.
    ///   - readFile: Reads an `env_file`.
    static func make(
        _ specification: AppSpecification, account: AppAccount, address: Address, inherited: [String],
        readFile: (String) throws(Failure) -> [UInt8]
    ) throws(Failure) -> [String] {
        var list = OrderedVariables()
        func own(_ name: String) -> String? {
            inherited.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        list.set("PATH", own("PATH") ?? standardPath)
        list.set("HOME", account.home)
        if let language = own("LANG") { list.set("LANG", language) }
        if let zone = own("TZ") { list.set("TZ", zone) }
        list.set("USER", account.name)
        list.set("LOGNAME", account.name)
        list.set("SHELL", account.shell)
        switch address {
        case .none: break
        case .port(let port):
            list.set("PORT", String(port))
            list.set("HOST", "127.0.0.1")
        case .path(let path): list.set("SOCKET_PATH", path)
        }
        for path in specification.environmentFiles {
            let bytes = try readFile(path)
            do throws(EnvironmentFile.Malformed) {
                for variable in try EnvironmentFile(parsing: bytes).variables { list.set(variable) }
            } catch { throw .malformed(path: path, error) }
        }
        for entry in specification.environment {
            if entry.contains("=") {
                list.set(entry)
            } else if let value = own(entry) {
                list.set(entry, value)
            }
        }
        return list.entries
    }

    /// Variables in the order of their first definition.
    private struct OrderedVariables {
        var entries: [String] = []

        mutating func set(_ name: String, _ value: String) { set("\(name)=\(value)") }

        mutating func set(_ entry: String) {
            let name = entry.prefix { $0 != "=" }
            if let index = entries.firstIndex(where: { $0.prefix { $0 != "=" } == name }) {
                entries[index] = entry
            } else {
                entries.append(entry)
            }
        }
    }
}
