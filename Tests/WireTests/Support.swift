import Testing
import Wire

/// A view of a string's or array's bytes that lives as long as the test run.
func bytes(_ text: String) -> ByteView { .immortal(Array(text.utf8)) }
func bytes(_ array: [UInt8]) -> ByteView { .immortal(array) }

/// A head as values that can be compared and shown.
struct ParsedRequest: Equatable {
    var outcome: HeadOutcome
    var head: RequestHead
    var fields: [ParsedField]
    var dropped: Int
}

struct ParsedResponse: Equatable {
    var outcome: HeadOutcome
    var head: ResponseHead
    var fields: [ParsedField]
    var dropped: Int
}

func list(_ table: borrowing FieldTable) -> [ParsedField] { (0..<table.count).map { table[$0] } }

/// Parses growing prefixes, each in a buffer of its own, so that nothing may depend on the address.
func parseRequest(_ input: [UInt8], steps: [Int], options: HeadOptions = HeadOptions()) -> ParsedRequest {
    var parser = RequestHeadParser(options: options)
    var table = FieldTable(capacity: 1)
    var outcome = HeadOutcome.needMore
    for step in steps + [input.count] {
        outcome = parser.parse(bytes(Array(input.prefix(step))), fields: &table)
        guard outcome == .needMore else { break }
    }
    return ParsedRequest(
        outcome: outcome, head: parser.head, fields: list(table), dropped: parser.droppedFieldCount)
}

func parseResponse(_ input: [UInt8], steps: [Int], options: HeadOptions = HeadOptions()) -> ParsedResponse {
    var parser = ResponseHeadParser(options: options)
    var table = FieldTable(capacity: 1)
    var outcome = HeadOutcome.needMore
    for step in steps + [input.count] {
        outcome = parser.parse(bytes(Array(input.prefix(step))), fields: &table)
        guard outcome == .needMore else { break }
    }
    return ParsedResponse(
        outcome: outcome, head: parser.head, fields: list(table), dropped: parser.droppedFieldCount)
}

/// The result of parsing a request in one piece, after checking that every other division gives the same.
func request(_ text: String, options: HeadOptions = HeadOptions()) -> ParsedRequest {
    let input = Array(text.utf8)
    let whole = parseRequest(input, steps: [], options: options)
    for split in 0..<input.count where parseRequest(input, steps: [split], options: options) != whole {
        Issue.record("split at \(split) differs")
    }
    #expect(parseRequest(input, steps: Array(0..<input.count), options: options) == whole, "byte by byte")
    return whole
}

func response(_ text: String, options: HeadOptions = HeadOptions()) -> ParsedResponse {
    let input = Array(text.utf8)
    let whole = parseResponse(input, steps: [], options: options)
    for split in 0..<input.count where parseResponse(input, steps: [split], options: options) != whole {
        Issue.record("split at \(split) differs")
    }
    #expect(parseResponse(input, steps: Array(0..<input.count), options: options) == whole, "byte by byte")
    return whole
}

/// The reason of a refusal; nil if the head was not refused.
func reason(_ outcome: HeadOutcome) -> HeadError.Reason? {
    if case .failed(let error) = outcome { return error.reason }
    return nil
}

extension ByteRange {
    func string(_ text: String) -> String { view(bytes(text)).string }
}

/// Runs `body` with a writer of a given size and returns what it wrote.
func written(capacity: Int = 4096, _ body: (inout ByteWriter) -> Bool) -> String? {
    let region = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
    // SAFETY: freed after the last use of the writer.
    defer { unsafe region.deallocate() }
    var writer = unsafe ByteWriter(region)
    return body(&writer) ? writer.written.string : nil
}
