import Foundation
import Testing
import TestKit

@Suite("The tree", .blocking)
struct TidyTests {
    private let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    @Test("has no style finding")
    func tidy() throws {
        let result = try RunningProcess.run(root + "/Scripts/tidy", [], directory: root, seconds: 120)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    @Test("builds front programs that link neither Foundation nor SwiftNIO", arguments: ["goodgate", "goodgate-worker"])
    func frontPrograms(_ name: String) throws {
        let binary = GatewayProcess.products + "/" + name
        try #require(FileManager.default.fileExists(atPath: binary), "not built")
        let libraries = try RunningProcess.run("/usr/bin/ldd", [binary])
        #expect(libraries.succeeded)
        for banned in ["libFoundation", "libsqlite", "lib_FoundationICU"] {
            #expect(!libraries.output.contains(banned), "\(name) links \(banned)")
        }
        let symbols = try RunningProcess.run("/usr/bin/nm", [binary], seconds: 60)
        #expect(symbols.succeeded)
        // Mangled names begin with the length and name of their module.
        for banned in ["$s7NIOCore", "$s8NIOPosix", "$s10Foundation", "$s20FoundationEssentials"] {
            #expect(!symbols.output.contains(banned), "\(name) holds symbols of \(banned)")
        }
    }
}
