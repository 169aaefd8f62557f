internal import Wire

extension Property {
    private struct Decoded: Equatable {
        var payload: [UInt8] = []
        var consumed = 0
        var trailers: [UInt8]?
        var error: ChunkError?
    }

    /// Decodes with reads that end at `steps`; what is not consumed is given again.
    private static func decode(_ input: [UInt8], keepsTrailers: Bool, steps: [Int]) -> (Decoded, String?) {
        var decoder = ChunkedDecoder(keepsTrailers: keepsTrailers, maxTrailerLength: 256, maxExtensionLength: 32)
        var result = Decoded()
        for step in steps {
            var wantsMore = false
            while !wantsMore {
                let available = input[result.consumed..<max(step, result.consumed)]
                let (event, taken): (ChunkEvent, [UInt8]) = withView(available) { view in
                    let event = decoder.decode(view)
                    switch event {
                    case .data(let range): return (event, view[range].array)
                    case .end(_, let range): return (event, view[range].array)
                    case .needMore, .failed: return (event, [])
                    }
                }
                switch event {
                case .data(let range):
                    if range.isEmpty { return (result, "empty data") }
                    result.payload += taken
                    result.consumed += range.upperBound
                case .needMore(let consumed):
                    if decoder.isEnded { return (result, "it has ended, but more is needed") }
                    result.consumed += consumed
                    wantsMore = true
                case .end(let consumed, _):
                    result.trailers = taken
                    result.consumed += consumed
                    return (result, nil)
                case .failed(let error):
                    // How much was consumed before depends on the reads.
                    return (Decoded(payload: result.payload, error: error), nil)
                }
            }
        }
        return (result, nil)
    }

    /// A chunked body: any division gives the same payload; written anew it is the same. The first byte chooses whether
    /// trailers are kept.
    package static func chunked(_ input: [UInt8]) -> String? {
        guard let choice = input.first else { return nil }
        let keeps = choice & 1 != 0
        let input = Array(input.dropFirst())
        let (whole, problem) = decode(input, keepsTrailers: keeps, steps: [input.count])
        if let problem { return problem }
        for steps in [steps(input), input.count < 256 ? Array(0...input.count) : []] where !steps.isEmpty {
            let (split, problem) = decode(input, keepsTrailers: keeps, steps: steps)
            if let problem { return problem }
            if split.payload != whole.payload || split.error != whole.error || split.trailers != whole.trailers {
                return "division changes the result"
            }
        }
        guard whole.trailers != nil else { return nil }
        return encodedAnew(whole.payload)
    }

    private static func encodedAnew(_ payload: [UInt8]) -> String? {
        guard !payload.isEmpty else { return nil }
        let output = Array("\(String(payload.count, radix: 16))\r\n".utf8) + payload + Array("\r\n0\r\n\r\n".utf8)
        let (decoded, problem) = decode(output, keepsTrailers: false, steps: [output.count])
        return problem
            ?? (decoded.payload == payload && decoded.consumed == output.count ? nil : "written anew it differs")
    }
}
