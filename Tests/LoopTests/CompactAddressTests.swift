import Loop
import Testing
import Wire

@Suite("A compact address")
struct CompactAddressTests {
    @Test("keeps IPv4 and IPv6 whole, with port and scope", arguments: [
        (IPAddress(low: 0x7f00_0001, port: 8080, isIPv6: false), UInt32(0)),
        (IPAddress(high: 0xfe80_0000_0000_0000, low: 0x1234, port: 443, isIPv6: true), UInt32(7)),
    ])
    func internet(_ address: IPAddress, _ scope: UInt32) {
        let whole = SocketAddress(address, scope: scope)
        let again = CompactAddress(whole).socketAddress
        #expect(again == whole)
        #expect(again.ipAddress == address)
    }

    @Test("of a unix socket is one without a path, and of none is none")
    func others() throws {
        let path = try #require(SocketAddress(unix: Array("/run/a/long/path/that/would/not/fit.sock".utf8)))
        let again = CompactAddress(path).socketAddress
        #expect(again.isUnix && again.length == 2)
        #expect(CompactAddress().socketAddress.length == 0)
    }
}
