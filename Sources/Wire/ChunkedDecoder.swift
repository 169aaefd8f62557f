/// Decodes the chunked transfer coding (RFC 9112, 7.1), strictly: CR LF only, sizes checked, extensions and trailers
/// bounded.
///
/// The caller gives the bytes that follow what was consumed, and calls until `needMore`, `end` or `failed`:
/// ```
/// size → (extension) → data … → size 0 → (trailer lines) → empty line
/// ```
public struct ChunkedDecoder: Sendable {
    /// Payload bytes of the current chunk that are still to come; 0 until its size is known whole.
    public var remainingInChunk: UInt64 { state == .data ? rest : 0 }

    /// The same, and the size of the next chunk as far as its digits were read.
    private var rest: UInt64 = 0

    private enum State: UInt8 {
        case sizeStart, size, afterSize, extensions, sizeLF
        case data, dataCR, dataLF
        case trailerStart, trailerName, trailerValue, trailerLF, endLF
        case ended
    }

    private var state = State.sizeStart
    private var failure: ChunkError?
    private let keepsTrailers: Bool
    /// Bytes of the current size line, or of the trailer section.
    private var length: UInt32 = 0
    /// Bytes of the trailer section's field lines.
    private var sectionLength: UInt32 = 0
    private let maxTrailerLength: UInt32
    private let maxLineLength: UInt32

    /// - Parameters:
    ///   - keepsTrailers: whether `end` must report the trailer section; then its bytes are consumed only when it is
    ///     complete, so the buffer must hold `maxTrailerLength` bytes.
    ///   - maxTrailerLength: longest trailer section in bytes, with its last empty line.
    ///   - maxExtensionLength: longest extension of one chunk in bytes.
    public init(keepsTrailers: Bool = false, maxTrailerLength: UInt32 = 8192, maxExtensionLength: UInt32 = 1024) {
        self.keepsTrailers = keepsTrailers
        self.maxTrailerLength = maxTrailerLength
        maxLineLength = maxExtensionLength.addingReportingOverflow(18).partialValue
    }

    /// Whether `end` was reported.
    public var isEnded: Bool { state == .ended }

    /// Looks for the next event at the front of `bytes`. O(framing bytes); payload is not touched.
    public mutating func decode(_ bytes: ByteView) -> ChunkEvent {
        if let failure { return .failed(failure) }
        var index = 0
        if state == .data {
            if let event = data(bytes, at: 0) { return event }
        }
        if keepsTrailers, isInTrailer { return trailers(bytes, from: 0) }
        while index < bytes.count {
            if let error = step(bytes[index]) { return fail(error) }
            index &+= 1
            switch state {
            case .data:
                if let event = data(bytes, at: index) { return event }
            case .trailerStart where keepsTrailers: return trailers(bytes, from: index)
            case .ended: return .end(consumed: index, trailers: index..<index)
            default: break
            }
        }
        return .needMore(consumed: index)
    }

    private mutating func fail(_ error: ChunkError) -> ChunkEvent {
        failure = error
        return .failed(error)
    }

    private mutating func data(_ bytes: ByteView, at index: Int) -> ChunkEvent? {
        let available = bytes.count &- index
        guard available > 0 else { return .needMore(consumed: index) }
        let length = Int(min(rest, UInt64(available)))
        rest &-= UInt64(length)
        if rest == 0 { state = .dataCR }
        return .data(index..<index &+ length)
    }

    private var isInTrailer: Bool { state.rawValue >= State.trailerStart.rawValue && state != .ended }

    /// The trailer section, which begins at `start` and of which `length` bytes were looked at before.
    private mutating func trailers(_ bytes: ByteView, from start: Int) -> ChunkEvent {
        var index = start &+ Int(length)
        while index < bytes.count {
            let lineStart = state == .trailerStart
            if let error = step(bytes[index]) { return fail(error) }
            if lineStart, state == .endLF { sectionLength = UInt32(truncatingIfNeeded: index &- start) }
            index &+= 1
            if state == .ended { return .end(consumed: index, trailers: start..<start &+ Int(sectionLength)) }
        }
        return .needMore(consumed: start)
    }

    @inline(__always)
    private mutating func step(_ byte: UInt8) -> ChunkError? {
        switch state {
        case .dataCR: return expect(byte, 0x0d, then: .dataLF)
        case .dataLF: return expect(byte, 0x0a, then: .sizeStart)
        case .sizeStart, .size, .afterSize, .extensions, .sizeLF: return sizeStep(byte)
        default: return trailerStep(byte)
        }
    }

    private mutating func expect(_ byte: UInt8, _ wanted: UInt8, then next: State) -> ChunkError? {
        guard byte == wanted else { return .invalidLineEnd }
        state = next
        if next == .sizeStart { length = 0 }
        return nil
    }

    private mutating func sizeStep(_ byte: UInt8) -> ChunkError? {
        length &+= 1
        guard length <= maxLineLength else { return .invalidExtension }
        switch state {
        case .sizeStart, .size:
            let digit = ByteClass.hexadecimal(byte)
            if digit < 16 {
                // Int64.max has the top bit clear: four more bits fit if the top five are.
                guard rest <= UInt64(Int64.max) >> 4 else { return .sizeOverflow }
                rest = rest << 4 | UInt64(digit)
                state = .size
                return nil
            }
            guard state == .size else { return .invalidSize }
            return afterSize(byte)
        case .afterSize: return afterSize(byte)
        case .extensions:
            if byte == 0x0d {
                state = .sizeLF
            } else if byte < 0x20 && byte != 0x09 || byte == 0x7f {
                return byte == 0x0a ? .invalidLineEnd : .invalidExtension
            }
            return nil
        default:
            guard byte == 0x0a else { return .invalidLineEnd }
            length = 0
            state = rest == 0 ? .trailerStart : .data
            return nil
        }
    }

    private mutating func afterSize(_ byte: UInt8) -> ChunkError? {
        switch byte {
        case 0x0d: state = .sizeLF
        case 0x3b: state = .extensions
        case 0x20, 0x09: state = .afterSize
        case 0x0a: return .invalidLineEnd
        default: return .invalidSize
        }
        return nil
    }

    private mutating func trailerStep(_ byte: UInt8) -> ChunkError? {
        length &+= 1
        guard length <= maxTrailerLength else { return .tooLargeTrailer }
        switch state {
        case .trailerStart:
            if byte == 0x0d {
                state = .endLF
                return nil
            }
            guard ByteClass.fieldName(byte) & 9 == 0 else { return byte == 0x0a ? .invalidLineEnd : .invalidTrailer }
            state = .trailerName
        case .trailerName:
            if byte == 0x3a {
                state = .trailerValue
            } else if ByteClass.fieldName(byte) & 9 != 0 {
                return .invalidTrailer
            }
        case .trailerValue:
            if byte == 0x0d {
                state = .trailerLF
            } else if byte < 0x20 && byte != 0x09 || byte == 0x7f {
                return byte == 0x0a ? .invalidLineEnd : .invalidTrailer
            }
        case .trailerLF:
            guard byte == 0x0a else { return .invalidLineEnd }
            state = .trailerStart
        default:
            guard byte == 0x0a else { return .invalidLineEnd }
            state = .ended
        }
        return nil
    }
}
