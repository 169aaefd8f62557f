internal import Machine

/// What has to survive the supervisor, beyond what the keepers know themselves: releases, scale, addresses.
struct AppState: Equatable {
    /// What a number stands for: the block of its time, and what a deploy changed against it.
    struct Release: Equatable {
        var number: UInt32
        /// Fingerprint of the block that it was made for. Once the block is edited, the release is history.
        var block: UInt64
        /// That block, with the latest edits that need no new process. nil, in a file of an older version: the present one.
        var base: AppSpecification?
        /// Whether `base` has what needs no new process. A file of an older version does not.
        var isWhole = false
        var command: [String]?
        var directory: String?
        var environment: [String] = []
        var environmentFiles: [String]?

        /// A deploy changed nothing.
        var isPlain: Bool { command == nil && directory == nil && environment.isEmpty && environmentFiles == nil }

        /// The release runs what it always ran, whatever the block says by now. What needs no new process is the block's if the release
        /// was made for it; else the block's check and its times are those of a release that is not proven, or was refused.
        func applied(to block: AppSpecification) -> AppSpecification {
            let isOfBlock = self.block == block.processFingerprint
            var result = base.map { isWhole && !isOfBlock ? $0 : block.withProcessPart(of: $0) } ?? block
            if let command { result.command = command }
            if let directory { result.directory = directory }
            result.environment += environment
            if let environmentFiles { result.environmentFiles = environmentFiles }
            return result
        }
    }

    /// An instance as it was when the file was written.
    struct Instance: Equatable {
        var slot: Int
        var serial: UInt32
        var release: UInt32
        var process: Int32
        var startTicks: UInt64
        /// Where it is dialled (`NetworkAddress.listenKey`).
        var address: String
        var isReady: Bool
        var restarts: UInt64
        var cgroups: [String] = []
        /// How the run before this one ended.
        var lastExit: InstanceExit?
    }

    /// A roll to another release that was under way: the next supervisor goes on with it.
    struct Roll: Equatable {
        var release: UInt32
        /// What a rollback goes back to once it is done; nil: nobody ordered it, a block was edited.
        var from: UInt32?
        var soakMilliseconds: UInt64 = 0
    }

    /// One app.
    struct App: Equatable {
        var name: String
        var activeRelease: UInt32
        var nextSerial: UInt32
        var isRunning: Bool
        /// Number of instances set by `app scale`; nil: the block's.
        var scale: Int?
        /// Highest number that a release ever had.
        var lastRelease: UInt32
        /// What `rollback` goes back to.
        var previousRelease: UInt32?
        /// Its release is the active one as soon as it is committed. A file of an older version has none.
        var roll: Roll?
        var releases: [Release] = []
        var instances: [Instance] = []
    }

    /// What has to last over a reboot: apps that somebody has deployed, scaled or stopped, without their instances.
    var lasting: AppState { lasting(isWhole: false) }

    /// - Parameter isWhole: With the apps that run as the configuration says, too: the file stands in for the one of this boot.
    func lasting(isWhole: Bool) -> AppState {
        var result = self
        result.boot = ""
        result.apps = apps.compactMap { app in
            var app = app
            app.instances = []
            // What was not committed is forgotten; of what was, only the old instances are missing.
            if let roll = app.roll, roll.release == app.activeRelease, let from = roll.from { app.previousRelease = from }
            app.roll = nil
            // It changes with each start, and means nothing without instances.
            app.nextSerial = 1
            let isPlain = app.isRunning && app.scale == nil && app.previousRelease == nil && app.releases.allSatisfy(\.isPlain)
            return isPlain && !isWhole ? nil : app
        }
        return result
    }

    /// Number of the save: of two files the one with the higher number is the newer one. 0: a version wrote it that did not count.
    var save: UInt64 = 0
    /// The boot in which the process identifiers are valid.
    var boot: String
    var apps: [App] = []
}
