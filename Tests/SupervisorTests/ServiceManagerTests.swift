import CLinux
import Config
import Foundation
import TestKit
import Testing

@testable import Supervisor

/// What the service manager is told (sd_notify(3)).
@Suite(.blocking, .timeLimit(.minutes(20))) struct ServiceManagerTests {
    private static let news: [(ServiceManager.News, String)] = [
        (.ready(process: 42, status: "serving"), "MAINPID=42\nREADY=1\nSTATUS=serving"),
        (.ready(process: 1, status: "a\nMAINPID=2"), "MAINPID=1\nREADY=1\nSTATUS=a"),
        (.mainProcess(7), "MAINPID=7"),
        (.reloading(microseconds: 7), "RELOADING=1\nMONOTONIC_USEC=7\nSTATUS=reading the configuration"),
        (.stopping(status: "bye\r\nx"), "STOPPING=1\nSTATUS=bye"),
    ]

    @Test(arguments: news) func newsAreOneDatagram(news: ServiceManager.News, text: String) { #expect(news.text == text) }

    /// A datagram socket that takes what is told.
    private func listen(_ name: [UInt8]) throws -> Descriptor {
        let socket = Descriptor(owning: try System.check(cs_socket_type(AF_UNIX, Int32(SOCK_DGRAM.rawValue))))
        try System.bind(socket.number, to: .unix(name))
        return socket
    }

    @Test(arguments: ["path", "abstract"]) func itGoesToTheSocketThatTheEnvironmentNames(kind: String) throws {
        let name = "/tmp/goodgate-notify-\(getpid())-\(kind)"
        defer { try? System.remove(name) }
        let bytes = Array(name.utf8)
        let socket = try listen(kind == "path" ? bytes : [0] + bytes.dropFirst())
        let manager = ServiceManager(socket: kind == "path" ? name : "@" + name.dropFirst())
        manager.tell(.stopping(status: "x"))
        #expect(System.waitReadable(socket.number, milliseconds: 30_000))
        #expect(System.receive(from: socket.number, capacity: 4096) == Array("STOPPING=1\nSTATUS=x".utf8))
    }

    @Test(arguments: [nil, "", "relative", "@", "/nobody/listens/here"] as [String?]) func nobodyToTellIsNoError(socket: String?) {
        ServiceManager(socket: socket).tell(.ready(process: 1, status: ""))
    }

    @Test func aReloadAndAnEndInOneBreath() throws {
        try withRig { rig in
            let path = rig.directory + "/notify"
            let socket = try listen(Array(path.utf8))
            rig.environment = ["NOTIFY_SOCKET": path]
            try rig.configure(http: "server { listen unix:\(rig.directory)/s; }")
            try rig.start()
            #expect(rig.ask(path: rig.directory + "/s") != nil)
            try rig.configure(http: "server { listen unix:\(rig.directory)/s; listen unix:\(rig.directory)/new; }")
            for signal in [SIGSTOP, SIGHUP, SIGQUIT, SIGCONT] { rig.signal(signal) }
            #expect(rig.wait { !rig.isRunning })
            #expect(!rig.exists("s") && !rig.exists("new"))
            #expect(!rig.read("error.log").contains("[emerg]"), "\(rig.read("error.log"))")
            var told: [String] = []
            while System.waitReadable(socket.number, milliseconds: 0), let text = System.receive(from: socket.number, capacity: 4096) {
                told.append(String(decoding: text, as: UTF8.self))
            }
            #expect(told.last?.hasPrefix("STOPPING=1") == true, "nothing is ready any more: \(told)")
        }
    }

    @Test func anOldBinaryThatEndedBeforeThisOneBeganDoesNotLive() throws {
        try withRig { rig in
            let path = rig.directory + "/notify"
            let socket = try listen(Array(path.utf8))
            // The parent is somebody else: the old one is gone. An empty list of sockets is a list all the same.
            rig.environment = ["NOTIFY_SOCKET": path, "NGINX": "", "GOODGATE_UPGRADE_FROM": "2147483646"]
            try rig.configure(http: "server { listen unix:\(rig.directory)/s; }")
            try rig.start()
            #expect(rig.ask(path: rig.directory + "/s") != nil)
            rig.signal(SIGQUIT)
            #expect(rig.wait { !rig.isRunning })
            var told: [String] = []
            while System.waitReadable(socket.number, milliseconds: 0), let text = System.receive(from: socket.number, capacity: 4096) {
                told.append(String(decoding: text, as: UTF8.self))
            }
            #expect(told.last?.hasPrefix("STOPPING=1") == true, "\(told)")
            #expect(!rig.exists("s"))
        }
    }

    @Test func aLifeIsToldInOrder() throws {
        try withRig { rig in
            let path = rig.directory + "/notify"
            let socket = try listen(Array(path.utf8))
            func next() -> String {
                guard System.waitReadable(socket.number, milliseconds: 30_000) else { return "nothing" }
                return System.receive(from: socket.number, capacity: 4096).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
            rig.environment = ["NOTIFY_SOCKET": path]
            try rig.configure(http: "server { listen 127.0.0.1:\(ProgramRig.freePort()); }")
            try rig.start()
            #expect(next() == "MAINPID=\(rig.processIdentifier)\nREADY=1\nSTATUS=serving with 1 worker")
            rig.signal(SIGHUP)
            let reloading = next()
            let time = reloading.split(separator: "\n").compactMap { UInt64($0.dropFirst("MONOTONIC_USEC=".count)) }.first ?? 0
            #expect(reloading.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
            #expect(time > 0 && time <= cs_monotonic_ns() / 1000)
            #expect(next() == "MAINPID=\(rig.processIdentifier)\nREADY=1\nSTATUS=serving with 1 worker")
            try rig.configure("nonsense;", http: "")
            rig.signal(SIGHUP)
            #expect(next().hasPrefix("RELOADING=1"))
            #expect(next().contains("READY=1\nSTATUS=serving with 1 worker; the new configuration was rejected"))
            rig.signal(SIGQUIT)
            #expect(next().hasPrefix("STOPPING=1"))
            #expect(rig.wait { !rig.isRunning })
        }
    }
}
