/// Where something stands in the configuration files.
package struct SourceLocation: Hashable, Sendable {
    /// Path as given or composed, e.g. `/etc/nginx/nginx.conf`; `command line` for `-g`.
    package var file: String
    /// Line, from 1; 0 when the whole file is meant.
    package var line: Int

    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }
}
