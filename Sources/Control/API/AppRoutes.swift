import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore

/// `/v1/apps`: what they are, and what can be done with them.
struct AppRoutes {
    let center: ControlCenter

    /// Longest soak, in milliseconds.
    static let soakMax: UInt32 = 3_600_000
    /// Lines that an instance's keeper has.
    private static let linesMax = 200

    func add(to routes: RouterGroup<APIContext>) {
        routes.get("apps") { _, _ in try await StatusRoutes(center: self.center).status().apps }
        routes.get("apps/:name") { _, context in try await self.app(try Self.name(context)) }
        routes.get("apps/:name/logs") { request, context in try await self.logs(request, context) }
        routes.post("apps/:name/start") { _, context in try await self.order(context, .start, until: .running) }
        routes.post("apps/:name/stop") { _, context in try await self.order(context, .stop, until: .stopped) }
        routes.post("apps/:name/restart") { _, context in try await self.order(context, .restart, until: .rolled) }
        routes.post("apps/:name/rollback") { _, context in try await self.order(context, .rollback, until: .rolled) }
        routes.post("apps/:name/scale") { request, context in
            let count = try await request.decode(as: ScaleOrder.self, context: context).instances
            return try await self.order(context, .scale(UInt32(clamping: count)), until: .scaled)
        }
        routes.post("apps/:name/deploy") { request, context in
            let order = try Self.checked(try await request.decode(as: ReleaseOrder.self, context: context))
            let name = try Self.name(context)
            return try await self.begin(name, until: .rolled) { .deploy(request: $0, name: name, order) }
        }
    }

    private static func name(_ context: APIContext) throws -> String { try context.parameters.require("name") }

    /// One app.
    private func app(_ name: String) async throws -> AppReport {
        let apps = try await StatusRoutes(center: center).status().apps
        guard let app = apps.first(where: { $0.name == name }) else {
            let known = apps.isEmpty ? "the configuration has none" : "there are " + apps.map(\.name).joined(separator: ", ")
            throw APIError(.notFound, "unknown", "there is no app \"\(name)\": \(known)")
        }
        return app
    }

    private func order(_ context: APIContext, _ order: AppOrder, until goal: AppOperation.Goal) async throws -> Response {
        let name = try Self.name(context)
        return try await begin(name, until: goal) { .app(request: $0, name: name, order) }
    }

    private func begin(
        _ name: String, until goal: AppOperation.Goal, _ make: @Sendable (UInt32) -> ControlRequest
    ) async throws -> Response {
        let operation = AppOperation(center: center, app: name, goal: goal)
        return .lines(try await operation.begin(make))
    }

    /// Refuses what can only fail later, with words that say why.
    static func checked(_ order: ReleaseOrder) throws -> DeployOrder {
        func invalid(_ text: String) -> APIError { APIError(.badRequest, "invalid", text) }
        let texts = (order.command ?? []) + (order.environment ?? []) + (order.environmentFiles ?? []) + [order.directory ?? ""]
        guard !texts.contains(where: { $0.utf8.contains(0) }) else { throw invalid("a text contains a NUL byte") }
        if let text = texts.first(where: { $0.utf8.count > MessageLimits.textBytesMax }) {
            let name = text.prefix { $0 != "=" && $0 != " " }.prefix(64)
            throw invalid("\"\(name)…\" has \(text.utf8.count) bytes, more than \(MessageLimits.textBytesMax): put it into an env_file")
        }
        if let command = order.command, command.first?.isEmpty ?? true { throw invalid("\"command\" needs a program") }
        for path in (order.environmentFiles ?? []) + (order.directory.map { [$0] } ?? []) where !path.hasPrefix("/") {
            throw invalid("path \"\(path)\" is not absolute")
        }
        for variable in order.environment ?? [] {
            guard let sign = variable.firstIndex(of: "="), sign != variable.startIndex else {
                throw invalid("\"\(variable)\" in \"environment\" is not NAME=VALUE")
            }
        }
        let soak = order.soakMilliseconds ?? 10_000
        guard soak <= soakMax else { throw invalid("\"soak_milliseconds\" must be at most \(soakMax)") }
        return DeployOrder(
            command: order.command, directory: order.directory, environment: order.environment ?? [],
            environmentFiles: order.environmentFiles, soakMilliseconds: soak)
    }

    private func logs(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = try Self.name(context)
        let text = request.uri.queryParameters["lines"].map(String.init) ?? "\(Self.linesMax)"
        guard let count = Int(text), (0...Self.linesMax).contains(count) else {
            throw APIError(.badRequest, "invalid", "\"lines\" must be a number from 0 to \(Self.linesMax)")
        }
        let follows = request.uri.queryParameters["follow"].map(String.init) ?? "false"
        guard follows == "true" || follows == "false" else {
            throw APIError(.badRequest, "invalid", "\"follow\" must be true or false")
        }
        return .lines(try await AppLog(center: center, app: name).lines(count, follows: follows == "true"))
    }
}

extension AppReport: ResponseCodable {}

extension Response {
    /// An answer of one JSON value per line, each sent as soon as it is there.
    static func lines<Value: Encodable & Sendable>(_ values: AsyncStream<Value>) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                let encoder = APICoding.encoder
                for await value in values {
                    try await writer.write(ByteBuffer(bytes: try encoder.encode(value) + [UInt8(ascii: "\n")]))
                }
                try await writer.finish(nil)
            })
    }
}
