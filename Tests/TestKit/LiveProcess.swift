import Foundation

/// What the kernel says of a process, by /proc. Nothing ("", nil, 0) of one that is gone.
public struct LiveProcess: Sendable {
    public let id: pid_t

    public init(_ id: pid_t) { self.id = id }

    /// Whether it runs: one that ended and was not collected yet does not.
    public var isAlive: Bool {
        let stat = text("stat")
        return !stat.isEmpty && !stat.contains(") Z ")
    }

    /// Its words, each ended by a NUL; what it calls itself, if it changed that.
    public var commandLine: String { text("cmdline") }

    /// Its direct children, in the order of their start.
    public var children: [pid_t] { text("task/\(id)/children").split(separator: " ").compactMap { pid_t($0) } }

    public var parent: pid_t? { statFields.dropFirst().first.flatMap { pid_t($0) } }

    /// CPU time in clock ticks of 10 ms.
    public var cpuTicks: Int { statFields.dropFirst(11).prefix(2).compactMap { Int($0) }.reduce(0, +) }

    /// A line of its `status` without name and outer white space: `VmRSS`, `Uid`, `NoNewPrivs`.
    public func status(_ field: String) -> String {
        text("status").split(separator: "\n").first { $0.hasPrefix(field + ":") }
            .map { $0.dropFirst(field.count + 1).trimmingCharacters(in: .whitespaces) } ?? ""
    }

    /// Memory in use, in KiB.
    public var residentKiB: Int { status("VmRSS").split(separator: " ").first.flatMap { Int($0) } ?? 0 }

    /// The fields behind the name, which may hold anything: state, parent, …
    private var statFields: [Substring] { text("stat").split(separator: ")").last?.split(separator: " ") ?? [] }

    private func text(_ file: String) -> String {
        FileManager.default.contents(atPath: "/proc/\(id)/\(file)").map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
