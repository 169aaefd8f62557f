/// Where things are of which neither the configuration nor the command line says it: full paths (nginx: `--pid-path`, …).
package struct DefaultPaths: Hashable, Sendable {
    /// Of the process identifier.
    package var pid: String
    package var accessLog: String
    /// Bodies of requests that are too large for memory.
    package var clientBodyTemp: String
    /// Answers that are too large for memory.
    package var proxyTemp: String

    package init(pid: String, accessLog: String, clientBodyTemp: String, proxyTemp: String) {
        self.pid = pid
        self.accessLog = accessLog
        self.clientBodyTemp = clientBodyTemp
        self.proxyTemp = proxyTemp
    }

    /// All below a prefix, with its final slash: `-p` says that everything is there.
    package init(prefix: String) {
        self.init(
            pid: prefix + "logs/nginx.pid", accessLog: prefix + "logs/access.log", clientBodyTemp: prefix + "client_body_temp",
            proxyTemp: prefix + "proxy_temp")
    }
}
