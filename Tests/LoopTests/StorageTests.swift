import Loop
import Testing
import Wire

private struct Thing: ~Copyable, SlabValue {
    let slot: UInt32
    var generation: UInt32 = 0
    var payload = 0
    init(slot: UInt32) { self.slot = slot }
}

@Suite("Slab, Table, Buffer, Arena")
struct StorageTests {
    @Test("a slot that was given back makes its old tokens stale")
    func staleToken() throws {
        var slab = Slab<Thing>(limit: 10)
        let taken = slab.take()
        let first = try #require(taken)
        let token = Token(kind: 1, slot: first.value.slot, generation: first.value.generation)
        let found = slab.find(token)
        #expect(found == first)
        slab.give(first)
        let stale = slab.find(token)
        #expect(stale == nil)
        let second = slab.take()
        #expect(second == first)
        let older = slab.find(token)
        #expect(older == nil)
    }

    @Test("a slab at its limit gives nothing, and gives again after a slot came back")
    func limit() throws {
        var slab = Slab<Thing>(limit: 64)
        var taken: [Ref<Thing>] = []
        while let thing = slab.take() { taken.append(thing) }
        #expect(taken.count == 64)
        #expect(slab.count == 64)
        slab.give(taken.removeLast())
        let last = slab.take()
        #expect(last != nil)
        let beyond = slab.take()
        #expect(beyond == nil)
    }

    @Test("a table keeps order over growth, insertion and removal")
    func table() {
        var table = Table<Int>(capacity: 1)
        for n in 0..<100 { table.append(n) }
        table.insert(-1, at: 0)
        table.remove(at: 50)
        table.removeFirst(10)
        var seen: [Int] = []
        for index in table.indices { seen.append(table[index]) }
        #expect(seen == Array(([-1] + (0..<100)).enumerated().filter { $0.offset != 50 }.map(\.element).dropFirst(10)))
    }

    @Test("numbers are appended in decimal and hexadecimal", arguments: [
        (0, "0", "0"), (7, "7", "7"), (10, "10", "a"), (255, "255", "ff"), (256, "256", "100"), (4096, "4096", "1000"),
        (UInt64.max, "18446744073709551615", "ffffffffffffffff"),
    ] as [(UInt64, String, String)])
    func numbers(number: UInt64, decimal: String, hexadecimal: String) {
        let buffer = Ref<Buffer>.immortal(Buffer(capacity: 4))
        buffer.append(decimal: number)
        #expect(buffer.view.string == decimal)
        buffer.clear()
        buffer.append(hexadecimal: number)
        #expect(buffer.view.string == hexadecimal)
        buffer.destroy()
    }

    @Test("a buffer grows without losing bytes, and compacts what is left")
    func growth() {
        let buffer = Ref<Buffer>.immortal(Buffer(capacity: 8))
        let text = String(repeating: "0123456789", count: 50)
        buffer.append(text: text)
        #expect(buffer.view.string == text)
        buffer.consume(495)
        buffer.compact()
        #expect(buffer.view.string == "56789")
        #expect(buffer.value.start == 0)
        buffer.destroy()
    }

    @Test("the pool gives the same buffer again and counts what is out")
    func pool() {
        var pool = BufferPool()
        let buffer = pool.take(3000)
        #expect(buffer.room >= 3000)
        #expect(pool.outstanding == 1)
        pool.give(buffer)
        #expect(pool.outstanding == 0)
        let again = pool.take(2000)
        #expect(again == buffer)
        #expect(again.count == 0)
        pool.give(again)
    }

    @Test("views into an arena stay valid while it grows")
    func arena() {
        let pool = Ref<BufferPool>.immortal(BufferPool())
        var arena = Arena()
        var views: [(ByteView, String)] = []
        for n in 0..<500 {
            let text = "value number \(n) " + String(repeating: "x", count: n % 97)
            let scratch = pool.value.take(1024)
            scratch.append(text: text)
            views.append((arena.copy(scratch.view, pool), text))
            pool.value.give(scratch)
        }
        for (view, text) in views { #expect(view.string == text) }
        arena.release(pool)
        #expect(pool.value.outstanding == 0)
    }
}

@Suite("SocketAddress")
struct SocketAddressTests {
    @Test("addresses print as nginx prints them", arguments: [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "[::1]:80"),
        ([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "[2001:db8::1]:80"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1], "[::ffff:127.0.0.1]:80"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "[::]:80"),
        ([0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0], "[2001::1:0:0:1:0]:80"),
    ] as [([UInt8], String)])
    func ipv6(bytes: [UInt8], text: String) {
        func half(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        let ip = IPAddress(high: half(bytes[..<8]), low: half(bytes[8...]), port: 80, isIPv6: true)
        let address = SocketAddress(ip)
        #expect(address.text(withPort: true) == text)
        #expect(address.withAddressBytes { $0.array } == bytes)
        #expect(address.ipAddress == ip)
    }

    @Test("IPv4 and unix addresses")
    func others() throws {
        let address = SocketAddress(IPAddress(low: 0x0a00_0005, port: 8080, isIPv6: false))
        #expect(address.text(withPort: true) == "10.0.0.5:8080")
        #expect(address.text(withPort: false) == "10.0.0.5")
        #expect(address.port == 8080)
        let unix = try #require(SocketAddress(unix: "/run/x.sock"))
        #expect(unix.text(withPort: true) == "unix:/run/x.sock")
        #expect(SocketAddress(unix: ByteView.immortal([UInt8](repeating: 0x61, count: 108))) == nil)
    }
}
