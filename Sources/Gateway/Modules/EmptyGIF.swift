import Loop
import Wire

/// A transparent image of one pixel (nginx: ngx_http_empty_gif_module).
extension Ref where Value == Request {
    func serveEmptyGIF() {
        guard value.method == .get || value.method == .head else { return finish(.status(405)) }
        guard !isMain || ignoreBody() else { return }
        value.response.status = 200
        value.response.setContentType("image/gif")
        // A moment that never changes, so that clients keep it.
        value.response.lastModified = 23_349_600
        respond(Segment(keep(EmptyGIF.bytes)))
    }
}

private enum EmptyGIF {
    static let bytes = header + palette + transparency + image
    /// GIF89a, 1 × 1 pixels, two colours, background 1.
    private static let header: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 1, 0]
    /// Black and white.
    private static let palette: [UInt8] = [0, 0, 0, 255, 255, 255]
    /// Graphic control: colour 1 is transparent.
    private static let transparency: [UInt8] = [0x21, 0xf9, 4, 1, 0, 0, 1, 0]
    /// At 0, 0; LZW codes: clear, 1, end. Then the trailer.
    private static let image: [UInt8] = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0, 0x3b]
}
