// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because its targets are built with sanitizers. It has the name of the main package and sees the
// modules under test through links in Sources/, so that `package` declarations are visible and instrumented.
//
//     Scripts/fuzz SECONDS [TARGET ...]      from the root of the repository
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + ["Driver"], swiftSettings: settings,
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

let package = Package(
    name: "goodgate",
    targets: [
        .target(name: "CFuzzer"),
        .target(name: "Driver", dependencies: ["CFuzzer"], swiftSettings: settings),
        .target(name: "Wire", swiftSettings: settings),
        .target(name: "Properties", dependencies: ["Wire"], swiftSettings: settings),
        fuzzer("FuzzRequestHead", ["Properties"]),
        fuzzer("FuzzResponseHead", ["Properties"]),
        fuzzer("FuzzChunked", ["Properties"]),
        fuzzer("FuzzURI", ["Properties"]),
        fuzzer("FuzzProxyProtocol", ["Properties"]),
        fuzzer("FuzzFieldValues", ["Properties"]),
        fuzzer("FuzzDNS", ["Properties"]),
        .target(name: "Config", swiftSettings: settings),
        .target(name: "ConfigProperties", dependencies: ["Config"], swiftSettings: settings),
        fuzzer("FuzzConfig", ["ConfigProperties"]),
    ]
)
