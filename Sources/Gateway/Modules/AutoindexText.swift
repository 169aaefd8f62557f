import Loop
import Wire

/// A directory as a page.
struct AutoindexHTML {
    let showsExactSize: Bool
    /// Seconds east of UTC to show times in.
    let offset: Int32
    /// Names count in characters, not bytes.
    let isUTF8: Bool

    /// Columns for a name.
    private static var nameWidth: Int { 50 }

    func write(_ entries: [AutoindexEntry], of uri: ByteView, to out: Ref<Buffer>) {
        out.append("<html>\r\n<head><title>Index of ")
        out.append(html: uri)
        out.append("</title></head>\r\n<body>\r\n<h1>Index of ")
        out.append(html: uri)
        out.append("</h1><hr><pre><a href=\"../\">../</a>\r\n")
        for entry in entries { write(entry, to: out) }
        out.append("</pre><hr></body>\r\n</html>\r\n")
    }

    private func write(_ entry: AutoindexEntry, to out: Ref<Buffer>) {
        let isDirectory = entry.kind == .directory
        out.append("<a href=\"")
        out.write(reserving: entry.name.count * 3) { writer in
            URI.escape(entry.name, .uriComponent, into: &writer)
        }
        out.append(isDirectory ? "/\">" : "\">")
        var width = isUTF8 ? UTF8Text.characterCount(entry.name) ?? entry.name.count : entry.name.count
        if width > Self.nameWidth {
            let shown = width == entry.name.count ? entry.name.prefix(Self.nameWidth - 3) : UTF8Text.prefix(Self.nameWidth - 3, of: entry.name)
            out.append(html: shown)
            out.append("..&gt;</a>")
        } else {
            out.append(html: entry.name)
            if isDirectory, width < Self.nameWidth {
                out.append(0x2f)
                width += 1
            }
            out.append("</a>")
            out.append(spaces: Self.nameWidth - width)
        }
        out.append(0x20)
        out.write(reserving: 32) { writer in
            HTTPDate.writeListingTime(entry.modified, offsetSeconds: offset, into: &writer)
        }
        out.append(0x20)
        if isDirectory {
            out.append(spaces: showsExactSize ? 18 : 6)
            out.append(0x2d)
        } else if showsExactSize {
            out.append(decimal: entry.size, width: 19)
        } else {
            appendRounded(entry.size, to: out)
        }
        out.append("\r\n")
    }

    /// Rounded to whole units of 1024, from 10,000 bytes on.
    private func appendRounded(_ size: Int64, to out: Ref<Buffer>) {
        let (unit, letter): (Int64, UInt8)
        switch size {
        case (1 << 30)...: (unit, letter) = (1 << 30, 0x47)
        case (1 << 20)...: (unit, letter) = (1 << 20, 0x4d)
        case 10_000...: (unit, letter) = (1 << 10, 0x4b)
        default:
            out.append(0x20)
            return out.append(decimal: size, width: 6)
        }
        out.append(decimal: size / unit + (size % unit >= unit / 2 ? 1 : 0), width: 6)
        out.append(letter)
    }
}

/// A directory as JSON, or as a call of a function with it.
enum AutoindexJSON {
    static func write(_ entries: [AutoindexEntry], callback: ByteView?, to out: Ref<Buffer>) {
        if let callback {
            out.append("/* callback */\r\n")
            out.append(callback)
            out.append(0x28)
        }
        out.append(0x5b)
        for (index, entry) in entries.enumerated() {
            out.append(index > 0 ? ",\r\n{ \"name\":\"" : "\r\n{ \"name\":\"")
            out.write(reserving: entry.name.count * 6) { writer in
                URI.escapeJSON(entry.name, into: &writer)
            }
            out.append("\", \"type\":\"")
            out.append(entry.kindName)
            out.append("\", \"mtime\":\"")
            out.write(reserving: 32) { writer in
                HTTPDate.write(entry.modified, into: &writer)
            }
            out.append(0x22)
            if entry.kind == .regular {
                out.append(", \"size\":")
                out.append(decimal: entry.size, width: 1)
            }
            out.append(" }")
        }
        out.append("\r\n]")
        if callback != nil { out.append(");") }
    }
}

/// A directory as XML.
enum AutoindexXML {
    static func write(_ entries: [AutoindexEntry], to out: Ref<Buffer>) {
        out.append("<?xml version=\"1.0\"?>\r\n<list>\r\n")
        for entry in entries {
            out.append(0x3c)
            out.append(entry.kindName)
            out.append(" mtime=\"")
            out.write(reserving: 32) { writer in
                HTTPDate.writeUTC(entry.modified, into: &writer)
            }
            if entry.kind == .regular {
                out.append("\" size=\"")
                out.append(decimal: entry.size, width: 1)
            }
            out.append("\">")
            out.append(html: entry.name)
            out.append("</")
            out.append(entry.kindName)
            out.append(">\r\n")
        }
        out.append("</list>\r\n")
    }
}

extension AutoindexEntry {
    fileprivate var kindName: ByteView {
        switch kind {
        case .directory: "directory"
        case .regular: "file"
        case .other: "other"
        }
    }
}

extension Ref where Value == Buffer {
    /// With `& < > "` as entities.
    func append(html text: ByteView) {
        write(reserving: text.count * 6) { writer in
            URI.escapeHTML(text, into: &writer)
        }
    }

    fileprivate func append(spaces count: Int) {
        for _ in 0..<max(0, count) { append(0x20) }
    }

    /// Right-aligned with spaces.
    fileprivate func append(decimal number: Int64, width: Int) {
        var digits = number < 0 ? 2 : 1
        var rest = number.magnitude
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        append(spaces: width - digits)
        append(decimal: Int(number))
    }
}
