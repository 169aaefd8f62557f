import Config
import Testing

@testable import Supervisor

@Suite struct CommandLineTests {
    private func parse(_ words: [String]) -> Result<CommandLineOptions, CommandLineError> {
        Result { () throws(CommandLineError) in try CommandLineOptions(parsing: words) }
    }

    @Test(arguments: [
        (["-p", "/d/", "-c", "nginx.conf", "-e", "error.log"], "/d/", "nginx.conf", "error.log"),
        (["-p/d", "-cx", "-estderr"], "/d", "x", "stderr"),
        (["-tqp", "/d"], "/d", nil, nil),
    ]) func valuesAreGluedOrTheNextWord(words: [String], prefix: String?, file: String?, log: String?) throws {
        let options = try parse(words).get()
        #expect(options.prefix == prefix)
        #expect(options.configurationFile == file)
        #expect(options.errorLog == log)
    }

    @Test func lettersCanBeJoined() throws {
        let options = try parse(["-tqV"]).get()
        #expect(options.testsConfiguration && options.isQuiet && options.showsVersion && options.showsConfigureArguments)
        #expect(!options.dumpsConfiguration && !options.showsHelp)
        #expect(try parse(["-T"]).get().testsConfiguration)
        #expect(try parse(["-?"]).get().showsHelp)
    }

    @Test(arguments: [
        ("stop", CommandLineOptions.Signal.stop), ("quit", .quit), ("reopen", .reopen), ("reload", .reload),
    ]) func signalsAreKnownByName(word: String, signal: CommandLineOptions.Signal) throws {
        #expect(try parse(["-s", word]).get().signal == signal)
        #expect(try parse(["-s" + word]).get().signal == signal)
    }

    @Test(arguments: [
        (["x"], "invalid option: \"x\""), (["-x"], "invalid option: \"x\""), (["-tz"], "invalid option: \"z\""),
        (["-s", "restart"], "invalid option: \"-s restart\""), (["-p"], "option \"-p\" requires directory name"),
        (["-c"], "option \"-c\" requires file name"), (["-e"], "option \"-e\" requires file name"),
        (["-g"], "option \"-g\" requires parameter"), (["-s"], "option \"-s\" requires parameter"),
    ]) func mistakesAreNamedInNginxsWords(words: [String], message: String) {
        #expect(parse(words) == .failure(CommandLineError(message)))
    }

    @Test(arguments: [
        (["--test"], "unknown option \"--test\"; did you mean \"-t\"?"),
        (["--config=/x.conf"], "unknown option \"--config=/x.conf\"; did you mean \"-c\"?"),
        (["--foregroud"], "unknown option \"--foregroud\"; did you mean \"goodgate run\"?"),
        (["-t", "--frobnicate"], "unknown option \"--frobnicate\"; \"goodgate --help\" lists the options"),
        (["--"], "unknown option \"--\"; \"goodgate --help\" lists the options"),
        (["-C", "/x.conf"], "invalid option: \"C\"; did you mean \"-c\"?"),
        (["-x"], "invalid option: \"x\"; \"goodgate --help\" lists the options"),
        (["-s", "relod"], "invalid option: \"-s relod\"; did you mean \"-s reload\"?"),
        (["-s", "kill"], "invalid option: \"-s kill\"; it is stop, quit, reopen, reload"),
    ]) func underItsOwnNameItSaysWhatWasMeant(words: [String], message: String) {
        let result = Result { () throws(CommandLineError) in
            try CommandLineOptions(parsing: words, as: Identity(programPath: "goodgate"))
        }
        #expect(result == .failure(CommandLineError(message)))
    }

    @Test(arguments: [
        ("run", Subcommand.run), ("version", .version), ("status", .control),
        ("stauts", .unknown(suggestion: "status")), ("rnu", .unknown(suggestion: "run")),
        ("frobnicate", .unknown(suggestion: nil)), ("depoly", .unknown(suggestion: "deploy")),
        ("reload", .unknown(suggestion: "-s reload")), ("relaod", .unknown(suggestion: "-s reload")),
    ]) func anUnknownCommandNamesTheNearest(word: String, meaning: Subcommand) { #expect(Subcommand(word) == meaning) }

    @Test func optionsAreNoCommands() {
        #expect(Subcommand("-t") == nil)
        #expect(Subcommand(nil) == nil)
    }

    @Test(arguments: [("/usr/sbin/nginx", true), ("nginx", true), ("/usr/sbin/goodgate", false), ("nginx/goodgate", false), ("", false)])
    func theNameDecidesAsWhomItSpeaks(path: String, isNginx: Bool) { #expect(Identity(programPath: path).isNginx == isNginx) }

    @Test func asNginxItSaysWhatScriptsLookFor() {
        let nginx = Identity(programPath: "nginx")
        #expect(nginx.versionLine == "nginx version: nginx/1.31.4")
        for word in ["http_ssl", "http_v2", "http_v3", "dav", "slice", "mp4", "--with-debug", "--with-stream", "--with-mail"] {
            #expect(!nginx.configureArguments.contains(word), "\(word) would count as present")
        }
        #expect(!Identity(programPath: "goodgate").versionLine.contains("nginx version:"))
    }

    @Test(arguments: [
        (["-p", "/d", "-c", "n.conf", "-e", "e.log"], true, "/d/", "/d/n.conf", "/d/e.log"),
        (["-c", "/a/n.conf", "-e", "stderr"], true, "/etc/nginx/", "/a/n.conf", ""),
        ([], true, "/etc/nginx/", "/etc/nginx/nginx.conf", "/var/log/nginx/error.log"),
        ([], false, "/etc/nginx/", "/etc/nginx/nginx.conf", "/var/log/goodgate/error.log"),
        (["-c", "s/n.conf", "-e", "e.log"], false, "/w/s/", "/w/s/n.conf", "/w/s/e.log"),
        (["-p", "/d"], false, "/d/", "/d/nginx.conf", "/var/log/goodgate/error.log"),
        (["-p", "/e"], false, "/e/", "/e/goodgate.conf", "/var/log/goodgate/error.log"),
        (["-p", "d"], false, "/w/d/", "/w/d/conf/nginx.conf", "/var/log/goodgate/error.log"),
        (["-p", "./d/"], true, "/w/d/", "/etc/nginx/nginx.conf", "/var/log/nginx/error.log"),
        (["-p", ".", "-c", "n.conf", "-e", "e.log"], false, "/w/", "/w/n.conf", "/w/e.log"),
        (["-p", "../d"], false, "/w/../d/", "/w/../d/goodgate.conf", "/var/log/goodgate/error.log"),
    ]) func pathsFollowPrefixAndName(words: [String], isNginx: Bool, prefix: String, file: String, log: String) throws {
        let existing = ["/etc/nginx/nginx.conf", "/d/nginx.conf", "/w/d/conf/nginx.conf"]
        let paths = ProgramPaths(
            try parse(words).get(), identity: Identity(programPath: isNginx ? "nginx" : "goodgate"), workingDirectory: "/w",
            exists: existing.contains)
        #expect(paths.prefix == prefix)
        #expect(paths.configuration == file)
        #expect(paths.errorLog == log)
        #expect((paths.defaults == nil) == words.contains("-p"))
    }

    /// Who names a file means the one that he sees; one that is below the prefix only is found as well.
    @Test(arguments: [
        (["-c", "n.conf"], false, "/w/n.conf"), (["-c", "./n.conf"], false, "/w/n.conf"), (["-c", "n.conf"], true, "/etc/nginx/n.conf"),
        (["-c", "site.conf"], false, "/etc/goodgate/site.conf"), (["-c", "none.conf"], false, "/w/none.conf"),
    ]) func aFileIsTheOneInSight(words: [String], isNginx: Bool, file: String) throws {
        let paths = ProgramPaths(
            try parse(words).get(), identity: Identity(programPath: isNginx ? "nginx" : "goodgate"), workingDirectory: "/w",
            exists: ["/w/n.conf", "/etc/goodgate/site.conf"].contains)
        #expect(paths.configuration == file)
    }

    @Test func whatNothingNamesIsWhereUsersLookForIt() throws {
        func paths(_ words: [String], _ name: String, home: String? = nil) throws -> ProgramPaths {
            ProgramPaths(
                try parse(words).get(), identity: Identity(programPath: name), workingDirectory: "/w", home: home, exists: { _ in false })
        }
        let root = try paths([], "goodgate")
        #expect(root.defaults?.pid == "/run/goodgate.pid" && root.defaults?.accessLog == "/var/log/goodgate/access.log")
        #expect(root.defaults?.proxyTemp == "/var/lib/goodgate/proxy_temp" && root.ownFolders.contains("/var/log/goodgate"))
        let user = try paths(["-c", "/c"], "goodgate", home: "/home/u/state")
        #expect(user.defaults?.pid == "/home/u/state/goodgate.pid" && user.errorLog == "/home/u/state/error.log")
        #expect(user.defaults?.clientBodyTemp == "/home/u/state/client_body_temp" && user.ownFolders.allSatisfy { $0 == "/home/u/state" })
        #expect(try paths(["-e", "stderr"], "goodgate", home: "/home/u/state").errorLog == "")
        #expect(try paths(["-e", "new/e.log"], "goodgate").ownFolders == ["/run", "/var/log/goodgate"], "no folder for what -e names")
        let nginx = try paths([], "nginx", home: "/home/u/state")
        #expect(nginx.defaults?.pid == "/run/nginx.pid" && nginx.ownFolders.isEmpty && nginx.errorLog == "/var/log/nginx/error.log")
    }
}
