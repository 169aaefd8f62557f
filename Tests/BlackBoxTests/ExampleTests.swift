import Foundation
import Testing
import TestKit

@Suite("The examples", .blocking)
struct Examples {
    private static let folder = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/examples"
    private static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?
        .filter { $0.hasSuffix(".conf") }.sorted() ?? []
    /// Those with what nginx cannot know.
    private static let ours = names.filter { (try? text($0))?.contains("\napp ") == true }

    private static func text(_ name: String) throws -> String { try String(contentsOfFile: folder + "/" + name, encoding: .utf8) }

    @Test("are good configurations", arguments: Examples.names.filter { !ours.contains($0) })
    func good(_ name: String) throws { try check(name) }

    @Test("with an app are good configurations", .enabled(if: Target.isGoodgate, "nginx runs no apps"), arguments: Examples.ours)
    func goodWithApp(_ name: String) throws { try check(name) }

    private func check(_ name: String) throws {
        let text = try Examples.text(name)
        let copy = try TemporaryDirectory()
        try copy.write(name, text)
        try copy.write("errors/502.html", "x")
        try FileManager.default.createDirectory(atPath: copy.path + "/logs", withIntermediateDirectories: true)
        let result = try RunningProcess.run(
            GatewayProcess.binary, ["-t", "-p", copy.path + "/", "-c", name, "-e", "error.log", "-g", "pid \(copy.path)/x.pid;"])
        let isDuplicatePid = result.errors.contains("\"pid\" directive is duplicate")
        #expect(result.succeeded || isDuplicatePid, "\(result.errors)")
    }

    /// Root becomes nobody for it: its own pid file and logs are the host's.
    private static let asUser = geteuid() == 0 ? ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    /// A checkout, or a toolchain, may lie where nobody may not go.
    private static let isRunnable = {
        let command = asUser + [GatewayProcess.goodgate, "-v"]
        return (try? RunningProcess.run(command[0], Array(command.dropFirst())).succeeded) == true
    }()

    /// As in docs/configuration.md, by a user who is not root, in a home of his own.
    @Test("start where they stand, without -p", .enabled(if: Target.isGoodgate, "nginx has its paths built in"),
        .enabled(if: isRunnable, "a user who is not root cannot execute the program here"),
        arguments: Examples.names.filter { !ours.contains($0) })
    func start(_ name: String) throws {
        let folder = try TemporaryDirectory(), port = Ports.free()
        let text = try Examples.text(name).replacing(/listen [0-9.:]*(80|8080|8000)\b/) { _ in "listen 127.0.0.1:\(port)" }
        #expect(text.contains("listen 127.0.0.1:\(port)"))
        try folder.write(name, text)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        let command = Self.asUser + [GatewayProcess.goodgate, "run", "-c", name]
        let gateway = try RunningProcess(
            command[0], Array(command.dropFirst()), directory: folder.path, environment: ["HOME": folder.path, "PATH": "/usr/bin:/bin"],
            errors: folder.path + "/errors")
        defer { gateway.kill() }
        #expect(eventually { (try? Client(port)) != nil }, "\(folder.read("errors"))")
        #expect(eventually { folder.read(".local/state/goodgate/goodgate.pid") == "\(gateway.pid)\n" })
        gateway.signal(SIGQUIT)
        #expect(eventually { gateway.poll() != nil })
    }
}
