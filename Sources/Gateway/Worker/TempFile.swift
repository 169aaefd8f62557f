import Config
import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Worker {
    /// Makes a temporary file under a temp path with nginx's levels of directories (`1 2` gives `PATH/7/45/0000000457`).
    ///
    /// A name that is taken, by a file of another worker or of an earlier run, is left with a leap: such files lie side by side.
    /// - Returns: nil after an error line.
    func makeTempFile(_ path: TempPath, for request: RequestRef) -> (descriptor: Int32, path: ByteView)? {
        var text = ByteView()
        var descriptor = -EEXIST
        for _ in 0..<Self.tempNamesMax where descriptor == -EEXIST {
            text = tempName(path, request)
            descriptor = File.createNew(text)
            if descriptor == -ENOENT, makeDirectories(of: text, path) { descriptor = File.createNew(text) }
            if descriptor >= 0 { return (descriptor, text) }
            value.tempSerial &+= value.random.next(below: 1 << 20)
        }
        request.log(.critical, "open() \"\(text.string)\" failed", errno: -descriptor)
        return nil
    }

    /// Names that are tried before a request fails.
    private static var tempNamesMax: Int { 100 }

    private func tempName(_ path: TempPath, _ request: RequestRef) -> ByteView {
        value.tempSerial = (value.tempSerial &+ 1) % 10_000_000_000
        let digits = zeroPadded(value.tempSerial, 10)
        var text = Array(path.path.utf8)
        var end = digits.count
        for level in path.levels where level > 0 {
            text.append(0x2f)
            text.append(contentsOf: digits[(end - level)..<end])
            end -= level
        }
        text.append(0x2f)
        text.append(contentsOf: digits)
        return request.keep(text)
    }

    private func zeroPadded(_ number: UInt64, _ width: Int) -> [UInt8] {
        let digits = Array(String(number).utf8)
        return Array(repeating: 0x30, count: max(0, width - digits.count)) + digits
    }

    private func makeDirectories(of file: ByteView, _ path: TempPath) -> Bool {
        var offset = path.path.utf8.count
        guard path.levels.contains(where: { $0 > 0 }) else { return false }
        while let slash = file.firstIndex(of: 0x2f, from: offset + 1) {
            let made = File.makeDirectory(file[0..<slash])
            if made < 0, made != -EEXIST { return false }
            offset = slash
        }
        return true
    }
}
