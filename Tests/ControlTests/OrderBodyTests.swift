import Foundation
import Messages
import Testing

@testable import Control

@Suite("The bodies of orders")
struct OrderBodyTests {
    private func refusal<Order: Decodable>(_ type: Order.Type, _ text: String) -> String? {
        do {
            _ = try APICoding.decoder.decode(type, from: Data(text.utf8))
            return nil
        } catch {
            return (error as? APIError)?.body.message ?? "\(error)"
        }
    }

    @Test("a key that nobody knows is refused: what was meant would not be done")
    func unknownKeys() {
        #expect(refusal(ReleaseOrder.self, #"{"environment": ["A=1"], "soak_milliseconds": 0, "environment_files": ["/e"]}"#) == nil)
        #expect(refusal(ReleaseOrder.self, "{}") == nil)
        #expect(refusal(ReleaseOrder.self, #"{"enviroment": ["A=1"]}"#) == """
            "enviroment" is unknown here, there are command, directory, environment, environment_files, soak_milliseconds
            """)
        #expect(refusal(ScaleOrder.self, #"{"instances": 2}"#) == nil)
        #expect(refusal(ScaleOrder.self, #"{"instances": 2, "time_out": 3}"#) == "\"time_out\" is unknown here, there are instances")
    }

    @Test("a number that is none, or out of range, is named", arguments: ["-1", "1.5", "3600001", "1e300", "\"1s\"", "true", "[1]"])
    func numbers(number: String) {
        #expect(refusal(ReleaseOrder.self, "{\"soak_milliseconds\": \(number)}") == """
            "soak_milliseconds" must be a whole number from 0 to 3600000
            """)
        #expect(refusal(ReleaseOrder.self, #"{"soak_milliseconds": null}"#) == nil)
    }

    @Test("a text that no message has room for is named, with the limit")
    func longText() throws {
        var order = ReleaseOrder()
        order.environment = ["CHAIN=" + String(repeating: "x", count: 4090)]
        #expect(try AppRoutes.checked(order).environment == order.environment)
        order.environment = ["CHAIN=" + String(repeating: "x", count: 4091)]
        let error = #expect(throws: APIError.self) { try AppRoutes.checked(order) }
        #expect(error?.body.message == "\"CHAIN…\" has 4097 bytes, more than 4096: put it into an env_file")
    }
}
