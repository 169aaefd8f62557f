import Foundation
import Testing
import TestKit

@Suite("The command line", .blocking)
struct CommandLine {
    private func run(_ configuration: String, _ options: [String], name: String? = nil) throws
        -> (result: RunningProcess.Output, path: String, folder: TemporaryDirectory) {
        let folder = try TemporaryDirectory()
        try folder.write(GatewayProcess.configurationName, configuration)
        let result = try RunningProcess.run(
            GatewayProcess.binary, GatewayProcess.arguments(folder.path) + options, name: name, seconds: 10)
        return (result, folder.path + "/" + GatewayProcess.configurationName, folder)
    }

    private let good = GatewayProcess.configuration(http: "server { listen 127.0.0.1:\(Ports.free()); }")

    @Test("-t says that a configuration is good")
    func testGood() throws {
        let (result, path, _) = try run(good, ["-t"])
        #expect(result.status == 0)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("the configuration file \(path) syntax is ok\n"))
        #expect(result.errors.contains("configuration file \(path) test is successful\n"))
    }

    @Test("-t names file, line and directive of an error, status 1", arguments: [
        ("http { nonsense on; }", 1, "unknown directive \"nonsense\""),
        ("http {\n server { listen 80 }\n}\n", 2, "unexpected \"}\""),
        ("http {\n server {\n", 3, "unexpected end of file, expecting \"}\""),
        ("http { server { listen 1; proxy_connect_timeout 5x; } }", 1, "\"proxy_connect_timeout\" directive invalid value"),
        ("worker_processes 1 2;\n", 1, "invalid number of arguments in \"worker_processes\" directive"),
        ("http {\n upstream a { }\n}", 2, "no servers are inside upstream"),
        ("http { server { location / { proxy_pass 127.0.0.1; } } }", 1, "invalid URL prefix"),
        ("http { server { location / { return 200 $nosuch; } } }", 0, "unknown \"nosuch\" variable"),
        ("pid a; pid b;", 1, "\"pid\" directive is duplicate"),
        ("server { }", 1, "\"server\" directive is not allowed here"),
    ])
    func testBad(_ text: String, _ line: Int, _ message: String) throws {
        let (result, path, _) = try run("daemon off; events { } " + text, ["-t"])
        #expect(result.status == 1)
        #expect(result.errors.contains("[emerg]"))
        #expect(result.errors.contains(message), "\(result.errors)")
        if line > 0 && !message.contains("end of file") { #expect(result.errors.contains("in \(path):\(line)"), "\(result.errors)") }
        #expect(result.errors.contains("configuration file \(path) test failed\n"))
    }

    @Test("under the name nginx the server calls itself nginx, on pages as well", .enabled(if: Target.isGoodgate))
    func serverField() throws {
        let folder = try TemporaryDirectory()
        let port = Ports.free()
        try folder.write(GatewayProcess.configurationName, GatewayProcess.configuration(http: Site.block("", port, """
            location / { return 404; } location /plain { server_tokens off; return 404; }
            """)))
        // As the link that a script calls, and as a mere first word.
        let link = folder.path + "/nginx"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: GatewayProcess.goodgate)
        for (program, name) in [(link, nil), (GatewayProcess.goodgate, "/usr/sbin/nginx"), (GatewayProcess.goodgate, nil)] {
            let process = try RunningProcess(
                program, GatewayProcess.arguments(folder.path), errors: folder.path + "/stderr", name: name)
            defer { process.kill() }
            #expect(eventually { (try? Client.get(port).status) == 404 }, "\(folder.read("stderr"))\(folder.read("error.log"))")
            let isNginx = name != nil || program == link
            let reply = try Client.get(port)
            let server = try #require(reply["Server"])
            #expect(server.hasPrefix(isNginx ? "nginx/" : "goodgate/"), "\(server)")
            #expect(reply.text.contains("<center>\(server)</center>"))
            let plain = try Client.get(port, "/plain")
            #expect(plain["Server"] == (isNginx ? "nginx" : "goodgate"))
            #expect(plain.text.contains("<center>\(isNginx ? "nginx" : "goodgate")</center>"))
            process.signal(SIGTERM)
            #expect(process.wait(seconds: 60) == .exited(0))
        }
    }

    @Test("-t waits for no pipe and reads no device: it says which file it is",
          .enabled(if: Target.isGoodgate, "nginx waits"))
    func noFile() throws {
        let folder = try TemporaryDirectory()
        let pipe = folder.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        func check(_ configuration: String) throws -> RunningProcess.Output {
            let options = ["-t", "-p", folder.path + "/", "-e", "stderr", "-c", configuration]
            return try RunningProcess.run(GatewayProcess.binary, options, seconds: 5)
        }
        for (path, text) in [(pipe, "is a pipe into which nobody writes"), ("/dev/zero", "is a device, not a file")] {
            let direct = try check(path)
            #expect(direct.status == 1 && direct.errors.contains("[emerg] "), "\(direct.errors)")
            #expect(direct.errors.contains("\"\(path)\" \(text)"), "\(direct.errors)")
            try folder.write("including.conf", "events { }\ninclude \(path);\n")
            let included = try check("including.conf")
            #expect(included.errors.contains("\"\(path)\" \(text) in \"include\" in \(folder.path)/including.conf:2"), "\(included.errors)")
            let words = ["check", folder.path + "/including.conf"]
            let report = try RunningProcess.run(GatewayProcess.binary, words, seconds: 10)
            #expect(!report.succeeded && report.output.contains("\"\(path)\" is no regular file"), "\(report.output)")
        }
        try folder.write("empty.conf", "pid pid; events { }\ninclude /dev/null;\n")
        #expect(try check("empty.conf").status == 0)
    }

    @Test("-t reads a pipe to its end, however slowly it comes",
          .enabled(if: Target.isGoodgate, "nginx takes a pipe for an empty file"))
    func slowPipe() throws {
        let folder = try TemporaryDirectory()
        try folder.write("good.conf", good)
        let writer = "{ head -n 3 good.conf; sleep 0.2; tail -n +4 good.conf; }"
        let reader = "\(GatewayProcess.binary) -t -p . -e stderr -c /dev/stdin"
        let result = try RunningProcess.run("/bin/sh", ["-c", "cd \(folder.path) && \(writer) | \(reader)"], seconds: 10)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("the configuration file /dev/stdin syntax is ok"), "\(result.errors)")
    }

    @Test("-t -q is silent about a good configuration")
    func quiet() throws {
        let (result, _, _) = try run(good, ["-t", "-q"])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
    }

    @Test("-T prints each file once, exactly")
    func dump() throws {
        let folder = try TemporaryDirectory()
        try folder.write("part.conf", "# a part\nserver { listen 127.0.0.1:\(Ports.free()); }\n")
        let text = GatewayProcess.configuration(http: "include part.conf;")
        try folder.write(GatewayProcess.configurationName, text)
        let result = try RunningProcess.run(GatewayProcess.binary, GatewayProcess.arguments(folder.path) + ["-T"])
        #expect(result.status == 0)
        #expect(result.output == """
            # configuration file \(folder.path)/gateway.conf:
            \(text)
            # configuration file \(folder.path)/part.conf:
            \(folder.read("part.conf"))

            """)
    }

    @Test("-g adds directives of the main context")
    func globalDirectives() throws {
        let (result, _, _) = try run(good, ["-t", "-g", "worker_rlimit_nofile 512;"])
        #expect(result.status == 0)
        let (bad, _, _) = try run(good, ["-t", "-g", "nonsense;"])
        #expect(bad.status == 1)
        #expect(bad.errors.contains("unknown directive \"nonsense\" in command line"))
    }

    @Test("-s sends signals to the running program", arguments: ["stop", "quit"])
    func signalStop(_ word: String) throws {
        let site = try Site(server: "return 200 x;")
        let arguments = GatewayProcess.arguments(site.gateway.directory.path) + ["-s", word]
        #expect(try RunningProcess.run(GatewayProcess.binary, arguments).status == 0)
        #expect(site.gateway.process.wait(seconds: 60) == .exited(0))
    }

    @Test("-s reload and reopen leave the program running")
    func signalReload() throws {
        let site = try Site(server: "return 200 old;")
        defer { site.stop() }
        let arguments = GatewayProcess.arguments(site.gateway.directory.path)
        try site.gateway.rewrite(http: Site.block("", site.port, "return 200 new;"))
        #expect(try RunningProcess.run(GatewayProcess.binary, arguments + ["-s", "reload"]).status == 0)
        #expect(try eventually { try site.get().text == "new" })
        try FileManager.default.removeItem(atPath: site.gateway.directory.path + "/error.log")
        #expect(try RunningProcess.run(GatewayProcess.binary, arguments + ["-s", "reopen"]).status == 0)
        #expect(eventually { FileManager.default.fileExists(atPath: site.gateway.directory.path + "/error.log") })
    }

    @Test("-s without a running program says so")
    func signalNobody() throws {
        let (result, _, folder) = try run(good, ["-s", "reload"])
        #expect(result.status == 1)
        #expect(result.errors.contains("open() \"\(folder.path)/gateway.pid\" failed (2: No such file or directory)")
            || result.errors.contains("invalid PID number \"\""), "\(result.errors)")
    }

    @Test("-v and -V print the version to standard error")
    func version() throws {
        let short = try RunningProcess.run(GatewayProcess.binary, ["-v"])
        #expect(short.status == 0)
        #expect(short.errors.contains("version: "))
        let long = try RunningProcess.run(GatewayProcess.binary, ["-V"])
        #expect(long.status == 0)
        #expect((long.errors + long.output).contains("configure arguments:"))
    }

    @Test("refuses an unknown option", arguments: ["-z", "--bogus"])
    func unknownOption(_ option: String) throws {
        let result = try RunningProcess.run(GatewayProcess.binary, [option])
        #expect(result.status == 1 || result.status == 2)
        #expect(!result.errors.isEmpty)
    }

    @Test("under the name nginx speaks as nginx", .enabled(if: Target.isGoodgate))
    func asNginx() throws {
        let folder = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/nginx", withDestinationPath: GatewayProcess.binary)
        let result = try RunningProcess.run(folder.path + "/nginx", ["-V"])
        #expect((result.errors + result.output).contains(#/nginx version: nginx\/1\.\d+\.\d+/#))
    }

    @Test("-t reports every error of all files at once", .enabled(if: Target.isGoodgate, "nginx stops at the first"))
    func allErrors() throws {
        let (result, path, _) = try run("daemon off; events { }\nhttp {\n one;\n server { two; }\n}\n", ["-t"])
        #expect(result.status == 1)
        #expect(result.errors.contains("unknown directive \"one\" in \(path):3"))
        #expect(result.errors.contains("unknown directive \"two\" in \(path):4"))
    }
}
