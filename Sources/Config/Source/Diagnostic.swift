/// One finding of the configuration parser.
package struct Diagnostic: Hashable, Sendable {
    /// How bad it is; `emergency` means that there is no configuration.
    package enum Severity: String, Sendable, CaseIterable {
        case emergency = "emerg"
        case warning = "warn"
        case notice = "notice"
    }

    /// The severity, whose raw value is nginx's word for it.
    package var severity: Severity
    /// nginx's text where nginx has one, without the ` in FILE:LINE` at its end.
    package var message: String
    /// Where the cause stands, nil when it is in no file (e.g. the main file cannot be read).
    package var location: SourceLocation?
    /// The directive concerned, if any.
    package var directive: String?
    /// The nearest known name, for misspelt directives and parameters.
    package var suggestion: String?

    package init(
        _ severity: Severity, _ message: String, at location: SourceLocation?,
        directive: String? = nil, suggestion: String? = nil
    ) {
        self.severity = severity
        self.message = message
        self.location = location
        self.directive = directive
        self.suggestion = suggestion
    }

    /// The message with the directive, which nginx does not always name.
    package var namedMessage: String {
        guard let directive, !directive.isEmpty, !message.contains(directive) else { return message }
        return "\(message) in \"\(directive)\""
    }

    /// The message as nginx ends it: `MESSAGE in FILE:LINE`.
    package var text: String {
        message + (location?.suffix ?? "")
    }
}
