import Foundation
import Testing
import TestKit

/// `goodgate doctor` beside Debian's nginx, on a configuration in a temporary folder.
@Suite("goodgate doctor", .blocking, .enabled(if: Target.isGoodgate))
struct DoctorTests {
    private static let nginx = "/usr/sbin/nginx"

    private func passes(_ file: String) throws -> Bool {
        try RunningProcess.run(Self.nginx, ["-t", "-q", "-c", file], seconds: 20).succeeded
    }

    @Test("--apply makes what it prints, only what nginx takes, and keeps the file as it was",
        .enabled(if: FileManager.default.isExecutableFile(atPath: nginx), "needs nginx"))
    func apply() throws {
        let folder = try TemporaryDirectory()
        let text = """
            daemon off; pid \(folder.path)/pid; error_log \(folder.path)/error.log;
            events { worker_connections 64; }
            http {
                access_log \(folder.path)/access.log;
                client_body_temp_path \(folder.path)/t1; proxy_temp_path \(folder.path)/t2; fastcgi_temp_path \(folder.path)/t3;
                uwsgi_temp_path \(folder.path)/t4; scgi_temp_path \(folder.path)/t5;
                upstream back {
                    server 127.0.0.1:\(Ports.free());
                    server 127.0.0.1:\(Ports.free());
                }
                server {
                    listen 127.0.0.1:\(Ports.free());
                    location / {
                        proxy_pass http://back;
                    }
                }
            }

            """
        try folder.write("nginx.conf", text)
        let file = folder.path + "/nginx.conf"
        try #require(try passes(file))
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        let arguments = ["doctor", "-c", file, "--no-probe", "--since", "1h"]
        let before = try RunningProcess.run(GatewayProcess.binary, arguments, environment: environment, seconds: 60)
        #expect(before.succeeded && before.output.contains("+        zone back 64k;"), "\(before.output)\(before.errors)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
        let result = try RunningProcess.run(
            GatewayProcess.binary, arguments + ["--apply", "--backup", folder.path + "/kept"], environment: environment, seconds: 60)
        #expect(result.errors.contains("applied   \(file): No shared zone"), "\(result.errors)")
        #expect(result.errors.contains("by hand   \(file): max_fails=1 on two servers"), "\(result.errors)")
        #expect(result.errors.contains("nginx -s reload -c \(file) makes the changes take effect"), "\(result.errors)")
        let after = try String(contentsOfFile: file, encoding: .utf8)
        #expect(after.contains("zone back 64k;") && !after.contains("max_fails"), "\(after)\(result.errors)\(before.output)")
        #expect(try passes(file))
        let kept = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/kept").first)
        #expect(try String(contentsOfFile: folder.path + "/kept/" + kept + file, encoding: .utf8) == text)
        let again = try RunningProcess.run(
            GatewayProcess.binary, arguments + ["--apply", "--backup", folder.path + "/kept"], environment: environment, seconds: 60)
        #expect(!again.errors.contains("zone"), "\(again.errors)")
    }

    /// A stand-in for nginx counts the tests of the configuration, and asks the doctor to end during the second, with the change in place.
    @Test("--apply that is interrupted leaves the file as it was", arguments: [SIGINT, SIGTERM, SIGHUP])
    func interrupted(signal: Int32) throws {
        let folder = try TemporaryDirectory()
        let text = """
            http {
                upstream back {
                    server 127.0.0.1:\(Ports.free());
                    server 127.0.0.1:\(Ports.free());
                }
                server {
                    location / {
                        proxy_pass http://back;
                    }
                }
            }

            """
        try folder.write("site.conf", text)
        let file = folder.path + "/site.conf"
        let nginx = try folder.write("nginx.new", """
            #!/bin/sh
            [ "$1" = -t ] || exit 0
            echo test >> \(folder.path)/tests
            [ "$(wc -l < \(folder.path)/tests)" -eq 2 ] || exit 0
            cp \(file) \(folder.path)/seen
            kill -\(signal) $PPID
            sleep 1

            """)
        try Executable.install(nginx, at: folder.path + "/nginx")
        let result = try RunningProcess.run(
            GatewayProcess.binary, ["doctor", "-c", file, "--no-probe", "--since", "1h", "--apply", "--backup", folder.path + "/kept"],
            environment: ["PATH": "\(folder.path):/usr/bin:/bin"], seconds: 60)
        #expect(folder.read("seen").contains("zone back 64k;"), "\(result.errors)")
        #expect(folder.read("site.conf") == text, "\(result.errors)")
        #expect(result.ending == .signalled(signal), "\(result.errors)")
        #expect(result.errors.contains("left out  \(file): No shared zone"), "\(result.errors)")
    }

    /// Its title names the configuration and the program that it would like root to test it with.
    @Test("a process that only calls itself nginx is not believed", .enabled(if: getuid() == 0, "needs root"))
    func forgery() throws {
        let folder = try TemporaryDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        try folder.write("evil.conf", "http { server { location / { proxy_pass http://127.0.0.1:\(Ports.free()); } } }\n")
        let title = "nginx: master process /usr/sbin/nginx -c \(folder.path)/evil.conf"
        let stranger = try RunningProcess(
            "/usr/bin/setpriv", ["--reuid=65534", "--clear-groups", "/bin/bash", "-c", "exec -a \"$0\" sleep 60", title])
        defer { stranger.kill() }
        func command() -> String {
            String(decoding: FileManager.default.contents(atPath: "/proc/\(stranger.pid)/cmdline") ?? Data(), as: UTF8.self)
        }
        #expect(eventually { command().hasPrefix("nginx: master process") })
        let result = try RunningProcess.run(
            GatewayProcess.binary, ["doctor", "--json", "--no-probe", "--since", "1m"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], seconds: 60)
        #expect(!result.output.contains("\(folder.path)/evil.conf"), "\(result.output)")
        #expect(result.output.contains("process \(stranger.pid) calls itself nginx"), "\(result.output)")
        #expect(result.output.contains("\"app_answers\""), "names as in the API: \(result.output)")
    }

    @Test("a configuration that is named and cannot be read is an error, and no other one is examined", arguments: [
        "/no/such/nginx.conf", "/",
    ])
    func unreadable(file: String) throws {
        let result = try RunningProcess.run(GatewayProcess.binary, ["doctor", "-c", file, "--no-probe"], seconds: 60)
        #expect(result.status == 1 && result.output.isEmpty, "\(result.output)")
        #expect(result.errors.contains("\(file) cannot be read") && !result.errors.contains("Usage:"), "\(result.errors)")
    }
}
