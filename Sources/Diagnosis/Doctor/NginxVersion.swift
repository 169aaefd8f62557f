/// A version of nginx, and of what is made of it as far as it counts alike.
package struct NginxVersion: Sendable, Comparable {
    let parts: [Int]
    /// `major.minor.patch`.
    package init(_ major: Int, _ minor: Int, _ patch: Int) { parts = [major, minor, patch] }
    /// Older.
    package static func < (a: Self, b: Self) -> Bool { a.parts.lexicographicallyPrecedes(b.parts) }

    /// Where packages put the program, if no running one tells.
    private static let places = [
        "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/usr/local/openresty/nginx/sbin/nginx",
        "/usr/bin/nginx",
    ]

    /// Reads it out of the program, which is not run for that: `nginx/1.22.1`, `openresty/1.25.3.1`.
    package static func of(program: String?, from system: some SystemReader) -> NginxVersion? {
        for path in program.map({ [$0] }) ?? places {
            guard let bytes = try? system.read(path, limit: 32 << 20) else { continue }
            let text = LineText(bytes[...])
            for name in ["nginx/1.", "openresty/1."] as [StaticString] {
                var from = text.bytes.startIndex
                while let at = text.find(name, from: from) {
                    from = at + name.utf8CodeUnitCount
                    let words = text.bytes[from...].prefix(12).prefix { $0 == 46 || $0 >= 48 && $0 <= 57 }
                    let numbers = words.split(separator: 46).compactMap { LineText($0).number }
                    if numbers.count >= 2 { return NginxVersion(1, numbers[0], numbers[1]) }
                }
            }
        }
        return nil
    }
}
