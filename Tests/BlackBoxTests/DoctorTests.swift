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
        #expect(result.errors.contains("applied   \(file): "), "\(result.errors)")
        let after = try String(contentsOfFile: file, encoding: .utf8)
        #expect(after.contains("zone back 64k;") && after.contains("error_page"), "\(after)\(result.errors)\(before.output)")
        #expect(try passes(file))
        let kept = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/kept").first)
        #expect(try String(contentsOfFile: folder.path + "/kept/" + kept + file, encoding: .utf8) == text)
        let again = try RunningProcess.run(
            GatewayProcess.binary, arguments + ["--apply", "--backup", folder.path + "/kept"], environment: environment, seconds: 60)
        #expect(!again.errors.contains("zone"), "\(again.errors)")
    }
}
