import Config
import Testing

@testable import Machine

@Suite struct SocketDiagnosisTests {
    /// A message of the kernel: header, body, padding.
    private static func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        let length = 16 + body.count
        let head = [UInt8(length), 0, 0, 0, UInt8(type), 0, 2, 0] + [UInt8](repeating: 0, count: 8)
        return head + body + [UInt8](repeating: 0, count: (4 - length % 4) % 4)
    }

    @Test func `listening sockets are read out of the kernel's answer`() {
        var tcp = [UInt8](repeating: 0, count: 72)
        (tcp[0], tcp[1], tcp[56], tcp[60], tcp[61], tcp[68], tcp[69]) = (2, 10, 3, 0, 2, 0x10, 0x27)
        (tcp[4], tcp[5], tcp[8], tcp[11]) = (0x0b, 0xb8, 127, 1)
        var tcp6 = tcp
        (tcp6[0], tcp6[8], tcp6[11], tcp6[23], tcp6[68]) = (10, 0, 0, 1, 0x11)
        let unix: [UInt8] = [1, 1, 10, 0, 77, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
        let name: [UInt8] = [7, 0, 0, 0, 47, 97, 98, 0], sizes: [UInt8] = [12, 0, 4, 0, 5, 0, 0, 0, 4, 0, 0, 0]
        let answer =
            Self.message(20, tcp) + Self.message(20, tcp6) + Self.message(20, unix + name + sizes) + Self.message(20, unix + name)
        let wanted = [
            SocketDiagnosis.Listener(inode: 10_000, length: 3, max: 512, address: .ipv4(0x7F00_0001, port: 3000)),
            SocketDiagnosis.Listener(inode: 10_001, length: 3, max: 512, address: .ipv6(high: 0, low: 1, port: 3000)),
            SocketDiagnosis.Listener(inode: 77, length: 5, max: 4),
        ]
        for (end, progress) in [
            ([], SocketDiagnosis.Progress.more), (Self.message(3, [0, 0, 0, 0]), .whole), (Self.message(2, [254, 255, 255, 255]), .failed),
            ([20, 0, 0], .failed),
        ] {
            var found: [SocketDiagnosis.Listener] = []
            #expect(SocketDiagnosis.read((answer + end)[...], into: &found) == progress)
            #expect(found == wanted)
        }
        var none: [SocketDiagnosis.Listener] = []
        #expect(SocketDiagnosis.read([], into: &none) == .failed)
        // Whatever is cut, or says that it is longer than it is, traps nowhere.
        for count in 0..<answer.count {
            for byte in [0, 1, 15, 16, 255] as [UInt8] {
                var cut = Array(answer.prefix(count)), found: [SocketDiagnosis.Listener] = []
                if !cut.isEmpty { cut[count * 7 % cut.count] = byte }
                _ = SocketDiagnosis.read(cut[...], into: &found)
            }
        }
    }
}
