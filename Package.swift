// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in CI only, so that a new toolchain does not stop a developer.
let ci: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]
let common: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
] + ci

/// A library target that sees only what stands above it: the table in README.md, "How it is built".
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: common)
}
/// Test code may use Foundation and raw pointers: it never sees a stranger's bytes in production.
let testing: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
] + ci

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: common)
}

/// CLinux's functions that the simulation takes over: the linker puts Tests/CSimulation/wrap.c in their place.
let simulated = [
    "recv", "recv_peek", "send", "sendmsg_vector", "sendfile", "write", "accept", "connect", "close", "shutdown_write", "local_address",
    "socket_error", "unacknowledged", "set_linger_reset", "set_option", "epoll_create", "epoll_ctl", "epoll_wait", "socket",
    "monotonic_ns", "realtime_ns", "send_packet",
].flatMap { ["-Xlinker", "--wrap=cs_" + $0] }

let package = Package(
    name: "goodgate",
    products: [
        .executable(name: "goodgate", targets: ["goodgate"]),
        .executable(name: "goodgate-worker", targets: ["goodgate-worker"]),
        .executable(name: "goodgate-control", targets: ["goodgate-control"]),
        .executable(name: "goodgate-launch", targets: ["goodgate-launch"]),
        .library(name: "TestKit", targets: ["TestKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        // Parts of what Hummingbird stands on, which the commands use as its client.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Static and without Swift's start-up code, which SwiftPM links into C programs too: 1.0 MB resident instead of 5.
        .executableTarget(
            name: "goodgate-launch", path: "Sources/Launch",
            linkerSettings: [.unsafeFlags(["-static-executable", "-nostartfiles"])]),

        module("Wire"),
        module("Config"),
        module("Pattern", ["CPCRE2", "Wire", "Config"]),
        module("Machine", ["Wire", "Config"]),
        module("Board"),
        module("Messages"),
        module("Loop", ["CLinux", "CZlib", "Wire"]),
        module("Gateway", ["CLinux", "CZlib", "Wire", "Pattern", "Config", "Machine", "Board", "Messages", "Loop"]),
        module("Supervisor", ["CLinux", "Wire", "Pattern", "Config", "Machine", "Board", "Messages"]),
        module("Diagnosis", ["Machine", "Config"]),
        module(
            "Control",
            [
                .product(name: "GRDB", package: "GRDB.swift"),
                "CLinux", "Wire", "Config", "Pattern", "Machine", "Diagnosis", "Board", "Messages",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),

        .executableTarget(name: "goodgate", dependencies: ["Supervisor", "CLinux"], swiftSettings: common),
        .executableTarget(name: "goodgate-worker", dependencies: ["Gateway"], swiftSettings: common),
        .executableTarget(
            name: "goodgate-control", dependencies: ["Control"], swiftSettings: common),

        tests("Wire", ["Wire", "TestKit"]),
        tests("Pattern", ["Pattern", "Config", "Wire"]),
        tests("Config", ["Config", "TestKit"]),
        tests("Machine", ["Machine", "Board", "Config", "Wire"]),
        tests("Board", ["Board", "CLinux", "TestKit"]),
        tests("Loop", ["Loop", "Wire", "TestKit"]),
        .testTarget(
            name: "DiagnosisTests", dependencies: ["Diagnosis", "Machine", "Config", "TestKit"], exclude: ["Fixtures"],
            swiftSettings: common),
        tests("Messages", ["Messages", "TestKit"]),
        // The worker under a simulated kernel: seeded sockets and a clock of its own, in one thread.
        .target(name: "CSimulation", path: "Tests/CSimulation"),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "CSimulation", "CLinux", "Config", "Loop", "Machine", "Messages", "Pattern", "Wire"],
            swiftSettings: testing, linkerSettings: [.unsafeFlags(simulated)]),
        tests(
            "Control",
            [
                "Control", "Supervisor", "Config", "Pattern", "Diagnosis", "Machine", "Messages", "TestKit",
                .product(name: "Hummingbird", package: "hummingbird"),
            ]),
        tests("Launch", ["goodgate-launch", "CLinux", "Config", "Machine", "Messages", "Supervisor", "TestKit"]),
        tests("Supervisor", ["Supervisor", "Config", "Machine", "Messages", "Board", "CLinux", "TestKit", "goodgate", "standin-worker"]),
        .executableTarget(name: "standin-worker", path: "Tests/StandInWorker"),

        // Whole-program tests: the real binaries (or nginx, as the reference) driven over sockets.
        .target(name: "TestKit", path: "Tests/TestKit", swiftSettings: testing),
        .testTarget(name: "BlackBoxTests", dependencies: ["TestKit"], swiftSettings: testing),
        .testTarget(name: "TidyTests", dependencies: ["TestKit"], swiftSettings: testing),
    ]
)
