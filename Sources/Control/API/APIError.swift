import HTTPTypes
import Hummingbird
import Messages

/// Why a request was not done: an HTTP status, a word for programs, a sentence for people.
struct APIError: Error, HTTPResponseError {
    /// The body of every answer that is no success.
    struct Body: Codable, Equatable, Sendable {
        /// `busy`, `refused`, `unknown`, `failed`, `invalid`, `not_found`, `too_large`, `timeout`.
        var error: String
        var message: String
    }

    var status: HTTPResponse.Status
    var body: Body

    init(_ status: HTTPResponse.Status, _ error: String, _ message: String) {
        self.status = status
        body = Body(error: error, message: message)
    }

    /// What the supervisor said when it did not do what was asked.
    init?(_ answer: ControlAnswer) {
        switch answer.outcome {
        case .done, .accepted: return nil
        case .busy: self.init(.conflict, "busy", answer.text)
        case .refused: self.init(.conflict, "refused", answer.text)
        case .unknown: self.init(.notFound, "unknown", answer.text)
        case .failed: self.init(.badGateway, "failed", answer.text)
        }
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try context.responseEncoder.encode(body, from: request, context: context)
        response.status = status
        return response
    }
}

/// Makes every error a JSON body of one form.
struct ErrorsAsJSON: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return try error.response(from: request, context: context)
        } catch let error as HTTPError {
            let name = error.status == .notFound ? "not_found" : error.status == .contentTooLarge ? "too_large" : "invalid"
            let text = error.body ?? (error.status == .notFound ? "there is no such resource" : error.status.reasonPhrase)
            return try APIError(error.status, name, text).response(from: request, context: context)
        }
    }
}
