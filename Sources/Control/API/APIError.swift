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
    /// The methods that a resource knows, where another one was used.
    var allowed = ""

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
        if !allowed.isEmpty { response.headers[.allow] = allowed }
        return response
    }
}

/// Makes every error a JSON body of one form.
struct ErrorsAsJSON: RouterMiddleware {
    typealias Context = APIContext

    /// The routes of the router, known once it has them all.
    let table: RouteTable

    func handle(
        _ request: Request, context: APIContext, next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return try error.response(from: request, context: context)
        } catch let error as any HTTPResponseError {
            // One that is thrown without words has a body of its own, or none.
            let text = (error as? HTTPError)?.body ?? error.status.reasonPhrase
            return try answer(error.status, text, request).response(from: request, context: context)
        }
    }

    private func answer(_ status: HTTPResponse.Status, _ text: String, _ request: Request) -> APIError {
        switch status {
        case .contentTooLarge: return APIError(status, "too_large", "the body of the request is longer than 1 MB")
        case .notFound:
            let methods = table.methods(of: request.uri.path)
            guard !methods.isEmpty else { return APIError(status, "not_found", "there is no such resource") }
            let list = methods.joined(separator: ", ")
            var error = APIError(.methodNotAllowed, "invalid", "\(request.uri.path) takes \(list), not \(request.method.rawValue)")
            error.allowed = list
            return error
        default: return APIError(status, "invalid", text)
        }
    }
}
