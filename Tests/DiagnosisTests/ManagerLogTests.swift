import Machine
import Testing

@testable import Diagnosis

/// What process managers write into log files of their own.
@Suite("The logs of PM2, php-fpm and supervisord") struct ManagerLogTests {
    private static let start = Timestamp(seconds: CivilTime(year: 2026, month: 11, day: 22, hour: 10, minute: 3).secondsIfUTC!)

    private static func collect(
        _ title: String, _ log: String, _ text: String, edit: (inout RecordedSystem) -> Void = { _ in }
    ) -> EvidenceSet {
        var system = RecordedSystem(time: start)
        system.files["/proc/50/cmdline"] = title
        system.files["/proc/50/cgroup"] = "0::/system.slice/manager.service\n"
        system.links["/proc/50/fd/0"] = "/dev/null"
        system.links["/proc/50/fd/3"] = log
        system.files["/proc/50/fd/3"] = text
        system.links["/proc/50/fd/4"] = "/srv/app/secret.txt"
        system.files["/proc/50/fd/4"] = text
        edit(&system)
        var set = EvidenceSet()
        let subject = CollectionSubject(
            peer: nil, since: start.advanced(byMilliseconds: -600_000), until: start.advanced(byMilliseconds: 60_000))
        ManagerLogCollector(zone: LocalZone(fixedOffset: 0)).collect(subject, from: system, into: &set)
        return set
    }

    @Test(arguments: [
        (
            "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)", "/home/deploy/.pm2/pm2.log",
            "2026-11-22T10:03:04: PM2 log: App [api:0] exited with code [0] via signal [SIGKILL]",
            LifeEvent.Kind.killed(signal: 9, coreDumped: false), "api"
        ),
        (
            "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "/var/log/php8.2-fpm.log",
            "[22-Nov-2026 10:03:04] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it",
            .poolExhausted(limit: 5), "pool www"
        ),
        (
            "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "/var/log/php8.2-fpm.log",
            "[22-Nov-2026 10:03:04] WARNING: [pool www] child 812 exited on signal 11 (SIGSEGV - core dumped) after 12 seconds",
            .killed(signal: 11, coreDumped: true), "pool www"
        ),
        (
            "/usr/bin/python3 /usr/bin/supervisord -c /etc/supervisor/supervisord.conf", "/var/log/supervisor/supervisord.log",
            "2026-11-22 10:03:04,123 WARN exited: api (exit status 3; not expected)", .exited(code: 3), "api"
        ),
        (
            "/usr/bin/python3 /usr/bin/supervisord", "/var/log/supervisor/supervisord.log",
            "2026-11-22 10:03:04,123 WARN exited: api (terminated by SIGABRT (core dumped); not expected)",
            .killed(signal: 6, coreDumped: true), "api"
        ),
        (
            "/usr/bin/python3 /usr/bin/supervisord", "/var/log/supervisor/supervisord.log",
            "2026-11-22 10:03:04,123 INFO gave up: api entered FATAL state, too many start retries too quickly", .gaveUp, "api"
        ),
    ])
    func `are read through the descriptor that writes them`(
        title: String, log: String, line: String, kind: LifeEvent.Kind, member: String
    ) throws {
        let noise = "cut off in the middle\n\n\(line.replacing("10:03:04", with: "09:03:04"))\n"
        let set = Self.collect(title, log, noise + line + "\n")
        #expect(set.managerLogs.value?.count == 1, "only what is of the time, and not the application's file")
        let event = try #require(set.managerLogs.value?.first)
        #expect(event.kind == kind && event.member == member && event.unit == "manager.service" && event.source == log)
        #expect(event.time == Self.start.advanced(byMilliseconds: 4_000))
        #expect(set.events == [event])
        var both = set
        both.journal = .known([event], source: "journalctl")
        #expect(both.events.count == 1, "a manager in the foreground writes into the journal as well")
    }

    @Test func `that may not be read are a gap; a socket in the place of a log is not touched`() {
        let title = "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", log = "/var/log/php8.2-fpm.log"
        let denied = Self.collect(title, log, "") { $0.errors["/proc/50/fd"] = 13 }
        #expect(denied.gaps == ["no right to read the log of php-fpm (process 50)"] && denied.managerLogs.value == nil)
        let unreadable = Self.collect(title, log, "") {
            $0.statuses["/proc/50/fd/3"] = FileStatus(mode: 0o100600, size: 1)
            $0.errors["/proc/50/fd/3"] = nil
            $0.files["/proc/50/fd/3"] = nil
        }
        #expect(unreadable.gaps.count == 1 && unreadable.gaps[0].hasPrefix(log))
        let fifo = Self.collect(title, log, "x") { $0.statuses["/proc/50/fd/3"] = FileStatus(mode: 0o010600, size: 0) }
        #expect(fifo.managerLogs.value == nil && fifo.gaps.isEmpty)
        #expect(Self.collect("php-fpm: pool www", log, "x").managerLogs.value == nil, "only the master writes it")
    }
}
