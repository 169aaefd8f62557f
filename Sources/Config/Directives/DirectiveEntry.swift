/// Where a directive may stand.
package struct DirectiveContext: OptionSet, Hashable, Sendable {
    /// One bit for each.
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Outside of all blocks.
    package static let main = DirectiveContext(rawValue: 1 << 0)
    /// `events { }`
    package static let events = DirectiveContext(rawValue: 1 << 1)
    /// `http { }`
    package static let http = DirectiveContext(rawValue: 1 << 2)
    /// `server { }` of `http`.
    package static let server = DirectiveContext(rawValue: 1 << 3)
    /// `location { }`
    package static let location = DirectiveContext(rawValue: 1 << 4)
    /// `if` in a server.
    package static let serverIf = DirectiveContext(rawValue: 1 << 5)
    /// `if` in a location.
    package static let locationIf = DirectiveContext(rawValue: 1 << 6)
    package static let limitExcept = DirectiveContext(rawValue: 1 << 7)
    package static let upstream = DirectiveContext(rawValue: 1 << 8)
    package static let app = DirectiveContext(rawValue: 1 << 9)
    package static let match = DirectiveContext(rawValue: 1 << 10)
    package static let mail = DirectiveContext(rawValue: 1 << 11)
    package static let stream = DirectiveContext(rawValue: 1 << 12)

    /// http, server and location.
    package static let inherited: DirectiveContext = [.http, .server, .location]
    /// http, server, location and `if` in location.
    package static let inheritedAndIf: DirectiveContext = [.http, .server, .location, .locationIf]
    /// Everything that the rewrite module runs in.
    package static let rewriting: DirectiveContext = [.server, .serverIf, .location, .locationIf]

    /// The names as documentation says them.
    package var names: [String] {
        let all: [(DirectiveContext, String)] = [
            (.main, "main"), (.events, "events"), (.http, "http"), (.server, "server"), (.location, "location"),
            (.serverIf, "if in server"), (.locationIf, "if in location"), (.limitExcept, "limit_except"),
            (.upstream, "upstream"), (.app, "app"), (.match, "match"), (.mail, "mail"), (.stream, "stream"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// How many arguments a directive takes.
package enum ArgumentRule: Hashable, Sendable {
    /// `on` or `off`.
    case flag
    case exactly(Int)
    case between(Int, Int)
    case atLeast(Int)
    case any

    /// Whether a number of arguments is right.
    package func allows(_ count: Int) -> Bool {
        switch self {
        case .flag: count == 1
        case .exactly(let number): count == number
        case .between(let low, let high): count >= low && count <= high
        case .atLeast(let low): count >= low
        case .any: true
        }
    }
}

/// What Goodgate does with a directive (docs/decisions/0001-nginx-configuration-language.md).
package enum DirectiveSupport: Hashable, Sendable {
    case implemented
    /// Read and ignored; ignoring it does not change what a client gets.
    case acceptedWithNotice(String)
    /// An error, as ignoring it would change the meaning.
    case notSupportedYet(String)
    /// An error for good.
    case never(String)
}

/// One row of the directive table: a directive in one kind of context.
package struct DirectiveEntry: Sendable {
    /// The directive.
    package var name: String
    /// The nginx module or `goodgate`, for the documentation.
    package var module: String
    package var contexts: DirectiveContext
    package var arguments: ArgumentRule
    package var support: DirectiveSupport
    /// The one value, such as `off`, with which a directive that is otherwise refused is accepted: what it says is so anyway.
    package var harmlessValue: String?
    /// Whether it opens a block.
    package var isBlock: Bool
    /// Whether it is one of our own or of NGINX Plus.
    package var origin: Origin
    /// Whether it may stand more than once in a block.
    var isRepeatable: Bool
    /// Whether it is applied before its neighbours, which may refer to what it defines.
    var isEarly: Bool
    var handler: DirectiveHandler

    /// Whose directive it is.
    package enum Origin: String, Hashable, Sendable { case nginx, nginxPlus = "NGINX Plus", goodgate }
}

/// Applies a directive to the current block.
typealias DirectiveHandler = @Sendable (ConfigurationReader, Directive) throws(DirectiveError) -> Void
