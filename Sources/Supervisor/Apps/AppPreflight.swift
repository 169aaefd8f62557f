internal import Config
internal import Machine
internal import Messages

/// What can be seen of an app before its first start: it would fail, or it is not safe. Told at the test of a configuration, at
/// the start and at a reload. Warnings only: the program may be about to come.
struct AppPreflight {
    let app: AppSpecification
    /// Whom the workers become; nil: nobody changes.
    let worker: WorkerIdentity?
    let inherited: [String]

    /// One sentence each, without the app's name.
    var warnings: [String] {
        var list = accountWarnings
        if let directory = app.directory {
            if !System.isDirectory(directory) {
                list.append("directory \"\(directory)\" is not there")
            } else if let obstacle = obstacle(on: directory) {
                list.append("directory \"\(directory)\" cannot be entered by \(obstacle)")
            }
        }
        if let command = commandWarning { list.append(command) }
        if let trouble = app.openFilesTrouble { list.append(trouble) }
        list += environmentFileWarnings
        if let path = app.log?.path, path != AppSettings.Log.standardError {
            let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            if !folder.isEmpty, !System.isDirectory(String(folder)) { list.append("the folder of log \"\(path)\" is not there") }
        }
        return list
    }

    /// Files are read as they will be at a start.
    private var environmentFileWarnings: [String] {
        guard let account = try? AppAccount.find(user: app.user, group: app.group) else { return [] }
        return app.environmentFiles.compactMap { path in
            guard System.exists(path) else { return "env_file \"\(path)\" is not there" }
            do throws(AppEnvironment.Failure) {
                _ = try EnvironmentFileReader(account: account).read(path)
                return nil
            } catch { return AppSupervisor.refusal(error).text }
        }
    }

    private var accountWarnings: [String] {
        do throws(AppAccount.Unknown) {
            let account = try AppAccount.find(user: app.user, group: app.group)
            guard let worker, worker.changesUser, account.identity?.user == worker.user else { return [] }
            return ["runs as the workers' user \"\(account.name)\": who breaks into it can signal them; give it a \"user\" of its own"]
        } catch { return ["unknown user or group \"\(error.name)\""] }
    }

    /// As the keeper looks for the program, which is in its directory and has its environment then.
    private var commandWarning: String? {
        let program = app.command.first ?? ""
        if program.contains("/") {
            let path = program.hasPrefix("/") ? program : (app.directory ?? "") + "/" + program
            if System.isProgram(path) { return closedCommand(path) }
            return "command \"\(program)\" \(System.exists(path) ? "is no executable file" : "is not there")"
        }
        let found = searchPath.split(separator: ":").map { "\($0)/\(program)" }.filter(System.isProgram)
        if found.isEmpty { return "command \"\(program)\" is in no directory of PATH (\(searchPath))" }
        return found.contains { closedCommand($0) == nil } ? nil : closedCommand(found[0])
    }

    private func closedCommand(_ path: String) -> String? {
        obstacle(on: path).map { "command \"\(path)\" cannot be executed by \($0)" }
    }

    /// Why the app's user cannot use a program or a folder; nil: it can, or nobody becomes somebody else.
    private func obstacle(on path: String) -> String? {
        guard let account = try? AppAccount.find(user: app.user, group: app.group), let identity = account.identity,
            let walk = try? PathWalk(path)
        else { return nil }
        if let folder = walk.closedFolder(for: identity) { return "user \"\(account.name)\": folder \"\(folder)\" is closed to it" }
        return walk.isExecutable(by: identity) ? nil : "user \"\(account.name)\""
    }

    private var searchPath: String {
        func value(_ list: [String]) -> String? { list.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } }
        return value(app.environment) ?? value(inherited) ?? AppEnvironment.standardPath
    }
}

extension AppSpecification {
    /// Why `nofile` cannot be had; nil: nothing speaks against it.
    var openFilesTrouble: String? {
        guard let wanted = openFilesMax else { return nil }
        guard System.isRoot else {
            let most = UInt64(System.descriptorsHardMax)
            return wanted > most ? "nofile \(wanted) is more than \(most), the hard limit of goodgate itself" : nil
        }
        let text = (try? System.readFile("/proc/sys/fs/nr_open")).map { String(decoding: $0, as: UTF8.self) }
        guard let most = text.flatMap({ UInt64($0.filter(\.isNumber)) }), wanted > most else { return nil }
        return "nofile \(wanted) is more than \(most), the most that the kernel allows (sysctl fs.nr_open)"
    }
}

extension System {
    /// A folder, or a link to one.
    fileprivate static func isDirectory(_ path: String) -> Bool { exists(path + "/.") }

    /// A file that somebody may execute.
    fileprivate static func isProgram(_ path: String) -> Bool {
        guard let facts = try? facts(of: path) else { return false }
        return facts.mode & 0o111 != 0 && !isDirectory(path)
    }
}
