import Testing

@testable import Diagnosis

/// Which process is believed to be nginx.
@Suite struct NginxInstanceTests {
    private var system: RecordedSystem

    init() {
        system = RecordedSystem(time: Timestamp(seconds: 1_795_341_600))
        system.files["/proc/self/status"] = "Uid:\t0\t0\t0\t0\n"
        system.files["/etc/nginx/nginx.conf"] = "events { }\n"
        system.files["/etc/other/nginx.conf"] = "events { }\n"
        system.files["/tmp/evil.conf"] = "events { }\n"
        system.links["/proc/self/ns/mnt"] = "mnt:[1]"
        system.links["/proc/self/ns/pid"] = "pid:[1]"
        for folder in ["/", "/usr", "/usr/sbin", "/opt"] { system.statuses[folder] = FileStatus(mode: 0o40755) }
        system.statuses["/tmp"] = FileStatus(mode: 0o41777)
        for path in ["/usr/sbin/nginx", "/opt/nginx", "/usr/sbin/passwd", "/tmp/nginx"] {
            system.statuses[path] = FileStatus(mode: 0o100755)
        }
    }

    private mutating func process(
        _ pid: Int, _ title: String, exe: String? = "/usr/sbin/nginx", users: [Int] = [0, 0, 0, 0], parent: Int = 1,
        namespace: String = "mnt:[1]", container: String = "pid:[1]"
    ) {
        system.files["/proc/\(pid)/cmdline"] = title
        system.files["/proc/\(pid)/stat"] = "\(pid) (nginx) S \(parent) 1 1 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 1 0 \(pid) 1000 100 1\n"
        system.files["/proc/\(pid)/status"] = "Name:\tnginx\nUid:\t\(users.map(String.init).joined(separator: "\t"))\n"
        system.links["/proc/\(pid)/ns/mnt"] = namespace
        system.links["/proc/\(pid)/ns/pid"] = container
        if let exe { system.links["/proc/\(pid)/exe"] = exe }
    }

    private func find(_ configuration: String? = nil) -> (instance: NginxInstance?, gaps: [String]) {
        var gaps: [String] = []
        let instance = NginxInstance.find(from: system, configuration: configuration, gaps: &gaps)
        return (instance, gaps)
    }

    private static let evil = "nginx: master process /usr/sbin/nginx -c /tmp/evil.conf"

    /// A title is text that any user may choose.
    @Test(arguments: [
        ("another user", "/tmp/nginx", [65_534, 65_534, 65_534, 65_534], "mnt:[1]"),
        ("another user with nginx's own program", "/usr/sbin/nginx", [65_534, 65_534, 65_534, 65_534], "mnt:[1]"),
        ("a set-user-id program that another user started", "/usr/sbin/nginx", [65_534, 0, 0, 0], "mnt:[1]"),
        ("root's, but another program", "/usr/sbin/passwd", [0, 0, 0, 0], "mnt:[1]"),
        ("a container's", "/usr/sbin/nginx", [0, 0, 0, 0], "mnt:[2]"),
    ])
    mutating func `a stranger's title chooses nothing`(who: String, exe: String, users: [Int], namespace: String) throws {
        process(100, Self.evil, exe: exe, users: users, namespace: namespace)
        process(101, "nginx: worker process", exe: exe, users: users, parent: 100, namespace: namespace)
        let (found, gaps) = find()
        let alone = try #require(found)
        #expect(alone.testCommand == ["nginx", "-t", "-c", "/etc/nginx/nginx.conf"] && alone.workerPID == nil)
        #expect(!gaps.isEmpty)
        process(200, "nginx: master process /usr/sbin/nginx -g daemon on;")
        process(201, "nginx: worker process", parent: 200)
        let beside = try #require(find().instance)
        #expect(beside.testCommand == ["/usr/sbin/nginx", "-t", "-c", "/etc/nginx/nginx.conf"] && beside.workerPID == 201)
    }

    @Test(arguments: [
        ("/usr/sbin/nginx", 0o100775), ("/usr/sbin/nginx", 0o100757), ("/usr/sbin", 0o40777), ("/tmp/nginx", 0o100755),
    ])
    mutating func `a program that others can write is not run`(path: String, mode: UInt32) throws {
        system.statuses[path] = FileStatus(mode: mode)
        process(100, "nginx: master process nginx", exe: path == "/usr/sbin" ? "/usr/sbin/nginx" : path)
        let (found, gaps) = find()
        #expect(try #require(found).program == nil && gaps.count == 1)
    }

    @Test mutating func `a program that belongs to another user is not run`() throws {
        system.statuses["/usr/sbin/nginx"] = FileStatus(mode: 0o100755, uid: 1_000)
        process(100, "nginx: master process nginx")
        #expect(try #require(find().instance).program == nil)
    }

    @Test mutating func `one's own nginx is taken, not only root's`() throws {
        system.files["/proc/self/status"] = "Uid:\t1000\t1000\t1000\t1000\n"
        process(100, "nginx: master process nginx -p /opt/site -c site.conf", users: [1_000, 1_000, 1_000, 1_000])
        system.files["/opt/site/site.conf"] = ""
        let found = try #require(find().instance)
        #expect(found.testCommand == ["/usr/sbin/nginx", "-t", "-c", "/opt/site/site.conf", "-p", "/opt/site"])
    }

    /// The namespace, limits and user that count are those of the workers of the nginx that is asked about, not of the youngest.
    @Test mutating func `workers are those of the master with the wanted configuration`() throws {
        process(100, "nginx: master process nginx")
        process(110, "nginx: worker process", parent: 100)
        process(111, "nginx: worker process is shutting down", parent: 100)
        process(200, "nginx: master process nginx -c /etc/other/nginx.conf", exe: "/opt/nginx")
        process(210, "nginx: worker process", parent: 200)
        process(300, "nginx: worker process", users: [65_534, 65_534, 65_534, 65_534])
        #expect(find().instance?.workerPID == 110)
        // It was started without -c: this is the file that it uses.
        let named = try #require(find("/etc/nginx/nginx.conf").instance)
        #expect(named.workerPID == 110 && named.program == "/usr/sbin/nginx")
        let beside = "another nginx, process 200, runs with /etc/other/nginx.conf and is not examined here: "
        #expect(find("/etc/nginx/nginx.conf").gaps == [beside + "goodgate doctor -c /etc/other/nginx.conf"])
        #expect(find().gaps == [beside + "goodgate doctor -c /etc/other/nginx.conf"])
        let other = try #require(find("/etc/other/nginx.conf").instance)
        #expect(other.workerPID == 210 && other.program == "/opt/nginx")
        let none = try #require(find("/tmp/evil.conf").instance)
        #expect(none.workerPID == nil && none.mainFile == "/tmp/evil.conf")
        #expect(find("/tmp/evil.conf").gaps == ["no running nginx is seen to use /tmp/evil.conf: its process is not known"])
    }

    /// systemd's PrivateTmp= and Protect…= make a mount namespace of its own, in which the configuration is the same file.
    @Test(arguments: [("pid:[1]", UInt64(7), true), ("pid:[1]", 8, false), ("pid:[2]", 7, false)])
    mutating func `an nginx with a mount namespace of its own is found, a container's is not`(
        container: String, inode: UInt64, isFound: Bool
    ) throws {
        system.statuses["/etc/nginx/nginx.conf"] = FileStatus(mode: 0o100644, inode: 7)
        let seenByMaster = "/proc/100/root"
        system.statuses[seenByMaster + "/etc/nginx/nginx.conf"] = FileStatus(mode: 0o100644, inode: inode)
        process(100, "nginx: master process /usr/sbin/nginx", namespace: "mnt:[2]", container: container)
        process(101, "nginx: worker process", parent: 100, namespace: "mnt:[2]", container: container)
        let (found, gaps) = find()
        #expect(try #require(found).workerPID == (isFound ? 101 : nil))
        #expect(gaps.isEmpty == isFound, "\(gaps)")
    }

    @Test mutating func `a relative -c before -p is relative to it`() throws {
        system.files["/opt/x/conf/site.conf"] = ""
        process(100, "nginx: master process nginx -c conf/site.conf -p /opt/x")
        #expect(find().instance?.mainFile == "/opt/x/conf/site.conf")
    }
}
