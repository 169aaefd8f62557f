import Config
import Loop
import Wire

/// Range and If-Range (nginx: ngx_http_range_filter_module).
extension Ref where Value == Request {
    /// Decides whether the whole, one range or several are sent, and sets the head for it.
    /// - Returns: false for 416; Content-Range is set then.
    func filterRanges() -> Bool {
        guard value.response.status == 200, value.response.contentLength >= 0, hasVersionOfRanges else { return true }
        var maximum = location.value.settings.value.core.rangeCountMax ?? ByteRangeSet.unlimited
        if maximum == 0 { return true }
        if value.response.allowsOneRangeOnly { maximum = 1 }
        guard let field = field(.range), isRangeWanted(field) else { return acceptRanges() }
        let size = value.response.contentLength
        var set = ByteRangeSet()
        switch set.parse(field, size: UInt64(size), maxRanges: maximum) {
        case .ignore: return acceptRanges()
        case .notSatisfiable:
            setContentRange { $0.append(0x2a) }
            value.response.contentLength = -1
            return false
        case .partial: break
        }
        value.response.status = 206
        value.response.statusLine = nil
        let filter: RangeFilter
        if set.ranges.count == 1 {
            let range = set.ranges[0]
            setContentRange { $0.append(range) }
            value.response.contentLength = Int64(range.count)
            filter = RangeFilter(ranges: set.ranges, boundary: nil)
        } else {
            filter = makeMultipart(set.ranges, size)
        }
        value.filters.insert(filter, at: 0)
        return true
    }

    /// HTTP/0.9 has no fields.
    private var hasVersionOfRanges: Bool { !main.value.protocolName.isEmpty }

    private func acceptRanges() -> Bool {
        value.response.append("Accept-Ranges", "bytes", token: .acceptRanges)
        return true
    }

    /// If-Range: the range is wanted only if the client's part is of this very answer.
    private func isRangeWanted(_ range: ByteView) -> Bool {
        guard range.count >= 7, range.prefix(6).equalsIgnoringCase("bytes=") else { return false }
        guard let condition = field(.ifRange) else { return true }
        if condition.count >= 2, condition.last == 0x22 { return value.response.etag.map { $0 == condition } ?? false }
        guard value.response.lastModified >= 0 else { return false }
        return HTTPDate.parse(condition) == value.response.lastModified
    }

    /// `bytes PART/SIZE`
    private func setContentRange(_ part: (Ref<Buffer>) -> Void) {
        let text = compose { out in
            out.append("bytes ")
            part(out)
            out.append(0x2f)
            out.append(decimal: UInt64(value.response.contentLength))
        }
        value.response.set("Content-Range", text, token: .contentRange)
    }

    /// The head of a multipart answer, and the filter that writes its parts.
    private func makeMultipart(_ ranges: [Range<UInt64>], _ size: Int64) -> RangeFilter {
        let boundary = compose { $0.append(zeroPadded: worker.value.random.next()) }
        let partHead = compose { out in
            out.append("\r\n--")
            out.append(boundary)
            if let type = value.response.contentType, !type.isEmpty {
                out.append("\r\nContent-Type: ")
                out.append(type)
                if let charset = value.response.charset, value.response.contentTypeBare == type {
                    out.append("; charset=")
                    out.append(charset)
                }
            }
            out.append("\r\nContent-Range: bytes ")
        }
        var heads: [ByteView] = []
        var length = Int64(boundary.count + 8)
        for range in ranges {
            let head = compose { out in
                out.append(partHead)
                out.append(range)
                out.append(0x2f)
                out.append(decimal: UInt64(size))
                out.append("\r\n\r\n")
            }
            heads.append(head)
            length += Int64(head.count) + Int64(range.count)
        }
        let end = compose { out in
            out.append("\r\n--")
            out.append(boundary)
            out.append("--\r\n")
        }
        value.response.setContentType(compose { out in
            out.append("multipart/byteranges; boundary=")
            out.append(boundary)
        })
        value.response.charset = nil
        value.response.contentLength = length
        value.response.remove(.contentRange)
        return RangeFilter(ranges: ranges, boundary: (heads, end))
    }
}

extension Ref where Value == Buffer {
    /// `FIRST-LAST`
    fileprivate func append(_ range: Range<UInt64>) {
        append(decimal: range.lowerBound)
        append(0x2d)
        append(decimal: range.upperBound - 1)
    }

    /// Twenty digits.
    fileprivate func append(zeroPadded number: UInt64) {
        write(reserving: 24) { writer in
            writer.append(decimal: number, width: 20)
        }
    }
}
