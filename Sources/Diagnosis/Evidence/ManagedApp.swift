/// An application under PM2 or supervisord.
package struct ManagedApp: Sendable, Hashable {
    /// Who runs it.
    package enum Supervisor: String, Sendable { case pm2, supervisord }
    /// Who runs it, under which name.
    package var supervisor: Supervisor
    package var name: String
    /// PM2: online, stopping, stopped, launching, errored; supervisord: RUNNING, BACKOFF, FATAL, EXITED, …
    package var status: String
    package var pid: Int32
    package var restarts: Int
    package var unstableRestarts: Int
    /// PM2: `fork_mode` or `cluster_mode`.
    package var execMode: String
    package var waitReady: Bool
    /// Milliseconds; PM2's kill and listen time-outs when set.
    package var killTimeout: Int?
    package var listenTimeout: Int?
    package var instances: Int
    /// PM2: what runs the script, such as node, python3 or none.
    package var interpreter: String
    /// Values of PORT-like environment variables.
    package var ports: [UInt16]

    package init(
        supervisor: Supervisor, name: String, status: String, pid: Int32 = 0, restarts: Int = 0,
        unstableRestarts: Int = 0,
        execMode: String = "", waitReady: Bool = false, killTimeout: Int? = nil, listenTimeout: Int? = nil,
        instances: Int = 1,
        interpreter: String = "", ports: [UInt16] = []
    ) {
        self.supervisor = supervisor; self.name = name; self.status = status; self.pid = pid; self.restarts = restarts
        self.unstableRestarts = unstableRestarts; self.execMode = execMode; self.waitReady = waitReady
        self.killTimeout = killTimeout; self.listenTimeout = listenTimeout; self.instances = instances;
        self.interpreter = interpreter
        self.ports = ports
    }

    /// Whether PM2's cluster mode is for it.
    package var isNode: Bool { interpreter.split(separator: "/").last == "node" }

    /// Whether its supervisor stopped trying to start it.
    package var hasGivenUp: Bool { status == "errored" || status == "FATAL" }
}
