/// What `goodgate init` found in a folder, and the configuration that it makes of it.
struct StarterConfiguration: Equatable {
    /// The file or fact that it was made from.
    var origin: String
    var apps: [StarterApp] = []
    /// A folder of files to serve, relative to the folder; nil: none.
    var files: String?
    /// A file with server blocks to be included.
    var site: String?
    /// Why that file does not run here; empty: it does.
    var siteErrors: [String] = []
    /// The origin is a whole configuration already: nothing is to be written.
    var isComplete = false
    /// For the head of the file.
    var remarks: [String] = []

    /// What is looked for, the surest sign first.
    private static let detectors: [@Sendable (ProjectFolder) -> StarterConfiguration?] = [
        fromProcfile, fromProcessManager, fromPackage, fromPython, fromRuby, fromUnit, fromSite, fromBinary, fromFiles,
    ]

    /// What is looked for, for the message that nothing of it is there.
    static let signs =
        "Procfile, ecosystem.config.js, package.json, manage.py or another Python application, config.ru, a systemd unit (*.service), "
        + "an nginx site (*.conf), one executable program, index.html"

    /// Looks at a folder.
    /// - Returns: nil when nothing is recognised.
    static func make(for folder: ProjectFolder) -> StarterConfiguration? {
        for detector in detectors {
            if let found = detector(folder) { return found.withDistinctNames }
        }
        return nil
    }

    /// Two apps of one name would be refused.
    private var withDistinctNames: StarterConfiguration {
        var result = self
        var seen: [String: Int] = [:]
        for index in result.apps.indices {
            let name = result.apps[index].name
            seen[name, default: 0] += 1
            if let count = seen[name], count > 1 { result.apps[index].name = "\(name)-\(count)" }
        }
        return result
    }

    /// Where its own server listens; a site that is included has chosen.
    private var ownAddress: String { site != nil && siteErrors.isEmpty ? "" : " on http://127.0.0.1:8080/" }

    /// The text of the configuration.
    func text(for folder: ProjectFolder) -> String {
        var text = """
            # A start for \(folder.path), made by `goodgate init` from \(origin).
            #   goodgate run -p \(folder.path)      serve it\(ownAddress)
            #   goodgate -t -p \(folder.path)       test this file after a change, then: goodgate -s reload -p \(folder.path)

            """
        for remark in remarks { text += "# \(remark)\n" }
        text += """

            pid goodgate.pid;
            error_log stderr notice;

            events { }


            """
        for app in apps {
            if !app.isWeb { text += "# Runs beside the site.\n" }
            text += app.text + "\n"
        }
        return text + httpBlock
    }

    private var httpBlock: String {
        var lines = [
            "http {", "    access_log off;", "    client_body_temp_path goodgate_temp/body;",
            "    proxy_temp_path goodgate_temp/proxy;", "",
        ]
        if let site, !siteErrors.isEmpty {
            lines.append("    # \(site) does not run here as it is (goodgate check says more):")
            lines += siteErrors.prefix(5).map { "    #   " + $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
            lines += ["    # include \(StarterApp.quoted(site));", ""]
        } else if let site {
            lines += ["    include \(StarterApp.quoted(site));", "}", ""]
            return lines.joined(separator: "\n")
        }
        let web = apps.filter(\.isWeb)
        for app in web {
            lines += ["    upstream \(app.name) {", "        app \(app.name);", "        keepalive 16;", "    }", ""]
        }
        lines += ["    server {", "        listen 127.0.0.1:8080;             # listen 80; for everybody", ""]
        for (index, app) in web.enumerated() {
            if index > 0 { lines.append("") }
            lines.append("        location \(index == 0 ? "/" : "/\(app.name)/") {")
            lines += [
                "            proxy_pass http://\(app.name);", "            proxy_http_version 1.1;",
                "            proxy_set_header Connection \"\";", "            proxy_set_header Host $host;",
                "            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
                "            proxy_set_header X-Forwarded-Proto $scheme;", "        }",
            ]
        }
        if let files {
            lines += [
                "        root \(StarterApp.quoted(files));", "        index index.html;",
                "        location / { try_files $uri $uri/ =404; }     # one page for all paths: /index.html in the place of =404",
            ]
        } else if web.isEmpty {
            lines.append("        location / { return 404; }")
        }
        lines += ["    }", "}", ""]
        return lines.joined(separator: "\n")
    }
}
