import Foundation
import Hummingbird

/// A request of the API: JSON with snake_case names and RFC 3339 times, bodies of at most 1 MB.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }

    var maxUploadSize: Int { 1 << 20 }
    var requestDecoder: JSONDecoder { APICoding.decoder }
    var responseEncoder: JSONEncoder { APICoding.encoder }
}

/// How the API's values look as JSON; the commands read what the server writes.
enum APICoding {
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    /// For `--json`: as people like to read it.
    static var prettyEncoder: JSONEncoder {
        let encoder = encoder
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
