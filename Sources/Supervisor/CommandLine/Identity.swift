package import Config

/// As whom the program speaks: nginx when it was started under that name (a link), Goodgate otherwise. Scripts, units and test suites look
/// at version lines, message prefixes and default paths; people should see what really runs.
package struct Identity: Equatable, Sendable {
    package var isNginx: Bool

    /// - Parameter programPath: `argv[0]`.
    package init(programPath: String) {
        isNginx = programPath.split(separator: "/").last.map { $0 == "nginx" } ?? false
    }

    /// The version of nginx whose behaviour we follow.
    package static let nginxVersion = "1.31.4"
    package static let version = "0.1.0"

    /// Name before messages on standard error and in process titles.
    package var name: String { isNginx ? "nginx" : "goodgate" }

    /// The first line of `-v`.
    package var versionLine: String {
        isNginx
            ? "nginx version: nginx/\(Self.nginxVersion)"
            : "goodgate version: goodgate/\(Self.version) (nginx/\(Self.nginxVersion) compatible)"
    }

    /// What the error log says first.
    var startLine: String {
        isNginx ? "nginx/\(Self.nginxVersion)" : "goodgate/\(Self.version)"
    }

    /// Prefix directory when there is no `-p`, with the final slash.
    package var prefix: String { isNginx ? "/etc/nginx/" : "/etc/goodgate/" }
    /// Where to look for the configuration when there is no `-c`: the first that exists, else the first.
    package var configurationPaths: [String] {
        isNginx ? ["/etc/nginx/nginx.conf"] : ["/etc/goodgate/goodgate.conf", "/etc/nginx/nginx.conf"]
    }
    /// Where everything is without `-p`, for root.
    package var errorLogPath: String { isNginx ? "/var/log/nginx/error.log" : "/var/log/goodgate/error.log" }
    package var defaults: DefaultPaths {
        isNginx
            ? DefaultPaths(
                pid: "/run/nginx.pid", accessLog: "/var/log/nginx/access.log", clientBodyTemp: "/var/lib/nginx/body",
                proxyTemp: "/var/lib/nginx/proxy")
            : DefaultPaths(
                pid: "/run/goodgate.pid", accessLog: "/var/log/goodgate/access.log",
                clientBodyTemp: "/var/lib/goodgate/client_body_temp", proxyTemp: "/var/lib/goodgate/proxy_temp")
    }

    /// The last line of `-V`: what was built in, in the words that scripts and nginx's test suite look for. A module that is missing here
    /// and not disowned counts as present (see docs), so this list follows the code.
    package var configureArguments: String {
        let paths =
            "--prefix=\(prefix.dropLast()) --conf-path=\(configurationPaths[0]) --error-log-path=\(errorLogPath)"
            + " --pid-path=\(defaults.pid) --http-log-path=\(defaults.accessLog)"
            + " --http-client-body-temp-path=\(defaults.clientBodyTemp) --http-proxy-temp-path=\(defaults.proxyTemp)"
        return ([paths] + Self.modulesPresent.map { "--with-\($0)_module" }
            + Self.modulesAbsent.map { "--without-http_\($0)_module" } + ["--without-http-cache"]).joined(separator: " ")
    }

    static let modulesPresent = [
        "http_realip", "http_stub_status", "http_gunzip", "http_gzip_static", "http_sub",
        "http_addition", "http_random_index",
    ]
    static let modulesAbsent = [
        "mirror", "userid", "browser", "fastcgi", "uwsgi", "scgi", "grpc", "memcached", "tunnel",
        "auth_basic",
    ]
}
