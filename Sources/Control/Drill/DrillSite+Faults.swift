import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// What was done to a site.
struct DrillInjection {
    /// Processes that have to be gone before all is well again.
    var gone: Set<Int32> = []
    /// When a process of the gateway itself was killed.
    var kill: ContinuousClock.Instant?
    /// What has to be given back afterwards.
    var channels: [any Channel] = []
    var stopped: [Int32] = []
    /// What did not go as it should.
    var complaint: String?
    /// What else there is to say.
    var note: String?
}

extension DrillSite {
    /// Makes a fault. Faults that last, last about `time`.
    func inject(_ fault: DrillFault, for time: Duration) async throws -> DrillInjection {
        switch fault {
        case .none:
            try await Task.sleep(for: time)
            return DrillInjection()
        case .killOne: return await signal(SIGKILL, count: 1)
        case .killAll: return await signal(SIGKILL, count: .max)
        case .hang: return await hang()
        case .hangKilled:
            let injection = await signal(SIGSTOP, count: 1)
            // Before its check finds out: requests come to it all the time, and nobody accepts them.
            try await Task.sleep(for: .milliseconds(500))
            for process in injection.gone { _ = kill(process, SIGKILL) }
            return injection
        case .outOfMemory: return try await eatMemory()
        case .bootFailures:
            try "failures=3\n".write(to: bootFile, atomically: true, encoding: .utf8)
            return await signal(SIGKILL, count: .max)
        case .slowBoot:
            try "delay=3000\n".write(to: bootFile, atomically: true, encoding: .utf8)
            return await signal(SIGKILL, count: .max)
        case .portStolen: return await stealPort()
        case .badRelease: return try await deployBadRelease()
        case .failingRelease: return try await deployFailingRelease()
        case .goodRelease: return try await deployGoodReleases()
        case .rollingRestart: return try await restartOneByOne()
        case .reload:
            for _ in 0..<20 {
                if let complaint = reload() { return DrillInjection(complaint: complaint) }
                try await Task.sleep(for: .milliseconds(150))
            }
            return DrillInjection()
        case .workerKilled: return await killWorker()
        case .supervisorKilled: return try await killSupervisor()
        case .upgrade: return try await upgrade()
        case .idleCloses: return try await setFaults("idle_close=20", for: time)
        case .acceptQueueFull: return try await fillAcceptQueue(for: time)
        case .unanswered: return try await setFaults("close_every=100", for: time)
        }
    }

    /// Gives back what an injection holds.
    func withdraw(_ injection: DrillInjection) async {
        for channel in injection.channels { try? await channel.close() }
        for process in injection.stopped { _ = kill(process, SIGCONT) }
        try? FileManager.default.removeItem(at: bootFile)
    }

    private func eatMemory() async throws -> DrillInjection {
        guard let instance = await readyInstances().first, let process = instance.process else {
            return DrillInjection(complaint: "no instance was ready")
        }
        // Its end is what is wanted, so nobody waits for the answer.
        let address = instance.address
        Task { @Sendable in _ = try? await DrillSite.ask(address, "/eat?mb=512") }
        return DrillInjection(gone: [process])
    }

    private func stealPort() async -> DrillInjection {
        guard let instance = await readyInstances().first, let process = instance.process, let port = Self.port(instance.address)
        else { return DrillInjection(complaint: "no instance was ready") }
        _ = kill(process, SIGKILL)
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nstolen\n"))
            }
        for _ in 0..<200 {
            if let thief = try? await bootstrap.bind(host: "127.0.0.1", port: port).get() {
                return DrillInjection(gone: [process], channels: [thief])
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return DrillInjection(gone: [process], complaint: "port \(port) could not be taken")
    }

    private func setFaults(_ query: String, for time: Duration) async throws -> DrillInjection {
        for instance in await readyInstances() { try await Self.ask(instance.address, "/faults?" + query) }
        try await Task.sleep(for: time)
        for instance in await readyInstances() { try await Self.ask(instance.address, "/faults?close_every=0&idle_close=0") }
        return DrillInjection()
    }

    private func fillAcceptQueue(for time: Duration) async throws -> DrillInjection {
        guard let instance = await readyInstances().first, let process = instance.process, let port = Self.port(instance.address)
        else { return DrillInjection(complaint: "no instance was ready") }
        _ = kill(process, SIGSTOP)
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connectTimeout(.milliseconds(300))
        var channels: [any Channel] = []
        while channels.count < 1024, let channel = try? await bootstrap.connect(host: "127.0.0.1", port: port).get() {
            channels.append(channel)
        }
        try await Task.sleep(for: time)
        for channel in channels { try? await channel.close() }
        _ = kill(process, SIGCONT)
        return DrillInjection(complaint: channels.count < 1024 ? nil : "the accept queue took 1024 connections")
    }
}

// MARK: - Deploys, and faults of the gateway itself

extension DrillSite {
    /// A release that exits on boot.
    private func deployBadRelease() async throws -> DrillInjection {
        try await deployVainly(["--command", "\(appProgram) demo-app --fail"], expecting: "because --fail says so")
    }

    /// A release that passes its check, and leaves one request in five without an answer.
    private func deployFailingRelease() async throws -> DrillInjection {
        let options = ["--command", "\(appCommand) --close-every 5", "--soak", "30s"]
        return try await deployVainly(options, expecting: "requests failed, of the old release's")
    }

    private func deployVainly(_ options: [String], expecting text: String) async throws -> DrillInjection {
        let before = Set(await readyInstances().compactMap(\.process))
        let (status, output) = try await command(["deploy", "demo"] + options)
        let after = Set(await readyInstances().compactMap(\.process))
        if status != 1 { return DrillInjection(complaint: "the deploy ended with status \(status): \(output)") }
        if !output.contains(text) { return DrillInjection(complaint: "it does not say why, or has no last lines: \(output)") }
        if before != after { return DrillInjection(complaint: "the old release was touched") }
        return DrillInjection()
    }

    private func deployGoodReleases() async throws -> DrillInjection {
        var injection = DrillInjection()
        for number in 2...6 {
            injection.gone.formUnion(await readyInstances().compactMap(\.process))
            let (status, output) = try await command(["deploy", "demo", "--env", "RELEASE=\(number)", "--soak", "500ms"])
            if status != 0 { injection.complaint = "deploy \(number - 1) ended with status \(status): \(output)" }
        }
        return injection
    }

    private func restartOneByOne() async throws -> DrillInjection {
        let before = Set(await readyInstances().compactMap(\.process))
        let (status, output) = try await command(["app", "restart", appName])
        return DrillInjection(gone: before, complaint: status == 0 ? nil : "the restart ended with status \(status): \(output)")
    }

    private func killSupervisor() async throws -> DrillInjection {
        guard let process = supervisorProcess else { return DrillInjection(complaint: "there is no pid file") }
        let before = Set(await readyInstances().compactMap(\.process))
        _ = kill(process, SIGKILL)
        try await Task.sleep(for: .milliseconds(500))
        try start()
        var injection = DrillInjection(gone: [process])
        if await recovered(without: injection.gone) != nil {
            let after = Set(await readyInstances().compactMap(\.process))
            if before != after { injection.complaint = "instances were started anew" }
        }
        return injection
    }

    private func upgrade() async throws -> DrillInjection {
        guard let process = supervisorProcess else { return DrillInjection(complaint: "there is no pid file") }
        let (status, output) = try await command(["upgrade"])
        return DrillInjection(
            gone: [process], complaint: status == 0 ? nil : "goodgate upgrade ended with status \(status): \(output)")
    }

    /// A request to an instance itself, beside the gateway.
    private static func ask(_ address: String, _ resource: String) async throws {
        guard let port = port(address) else { throw ClientError("\(address) has no port") }
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(wrappingChannelSynchronously: channel)
                }
            }
        var isAnswered = false
        do {
            try await channel.executeThenClose { inbound, outbound in
                let head = HTTPRequestHead(
                    version: .http1_1, method: .GET, uri: resource, headers: ["Host": "drill.test", "Connection": "close"])
                try? await outbound.write(contentsOf: [.head(head), .end(nil)])
                for try await part in inbound { if case .end = part { isAnswered = true } }
            }
        } catch where isAnswered && (error is ChannelError || error is IOError) {
            // The server closes too, and may be first.
        }
    }

    private static func port(_ address: String) -> Int? { address.split(separator: ":").last.flatMap { Int($0) } }
}
