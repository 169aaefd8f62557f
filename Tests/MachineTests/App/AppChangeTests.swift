import Config
import Testing

@testable import Machine

/// A reload compares blocks, a restart of the supervisor compares fingerprints: both must call the same changes a deploy.
@Suite struct AppChangeTests {
    private static let full: AppSpecification = {
        var full = AppSpecification(name: "a", command: ["/bin/a"], instances: 2, listen: .port, environment: ["A=1"])
        full.directory = "/d"
        full.user = "u"
        full.group = "g"
        full.memoryMax = 1 << 20
        full.openFilesMax = 64
        full.watchdog = .seconds(3)
        return full
    }()

    /// A change of each field, by its name.
    private static let changes: [(field: String, change: @Sendable (inout AppSpecification) -> Void)] = [
        ("name", { $0.name = "b" }), ("command", { $0.command.append("x") }), ("directory", { $0.directory = nil }),
        ("user", { $0.user = "v" }), ("group", { $0.group = "h" }), ("environment", { $0.environment = ["A=2"] }),
        ("environmentFiles", { $0.environmentFiles = ["/e"] }), ("instances", { $0.instances = 3 }), ("listen", { $0.listen = .unix }),
        ("health", { $0.health = AppHealth() }), ("startTimeout", { $0.startTimeout = .seconds(1) }),
        ("stopSignal", { $0.stopSignal = 2 }), ("stopTimeout", { $0.stopTimeout = .seconds(1) }),
        ("drainTimeout", { $0.drainTimeout = .seconds(1) }), ("restart", { $0.restart.condition = .never }),
        ("memoryMax", { $0.memoryMax = 1 << 21 }), ("memoryRecycle", { $0.memoryRecycle = 1 << 19 }),
        ("openFilesMax", { $0.openFilesMax = 65 }), ("creationMask", { $0.creationMask = 0o77 }), ("watchdog", { $0.watchdog = nil }),
        ("log", { $0.log = AppLog(path: "/l") }),
    ]

    @Test func `a reload and a restart of the supervisor agree on what needs a new process`() {
        let fields = Mirror(reflecting: Self.full).children.compactMap(\.label)
        #expect(Self.changes.map(\.field) == fields, "a new field needs a line here")
        for (field, change) in Self.changes {
            var new = Self.full
            change(&new)
            let kind = Self.full.change(to: new)
            #expect(kind != .none, "\(field)")
            #expect((kind == .deploy) == (Self.full.processFingerprint != new.processFingerprint), "\(field)")
        }
    }
}
