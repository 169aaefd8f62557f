import Foundation
import Testing
import TestKit

/// A reload that has to wait for an address that somebody else has.
@Suite("A reload that waits", .blocking, .enabled(if: Target.isGoodgate))
struct ReloadWaitTests {
    @Test("goes on serving the apps") func serves() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let process = try #require(try control.instances().first?["process"] as? Int32)
        let other = try RawOrigin { _ in }
        let path = control.directory.path + "/" + GatewayProcess.configurationName
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let blocked = text.replacingOccurrences(of: "http {", with: "http { server { listen 127.0.0.1:\(other.port); }")
        try control.directory.write(GatewayProcess.configurationName, blocked)
        control.site.gateway.signal(SIGHUP)
        try #require(control.site.gateway.waitForError("try again to bind()"))
        kill(process, SIGKILL)
        try #require(control.site.gateway.waitForError("still could not bind()"))
        let log = control.site.gateway.errorLog
        let exit = try #require(log.range(of: "app one.0#1: exited"), "\(log)")
        let givenUp = try #require(log.range(of: "still could not bind()"))
        #expect(exit.lowerBound < givenUp.lowerBound, "told while the reload waited")
        #expect(try control.site.client(timeout: 20).request().status == 200)
        control.site.stop(allowing: ["bind()", "is in use by"])
    }
}
