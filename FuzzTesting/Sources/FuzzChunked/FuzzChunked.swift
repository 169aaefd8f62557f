internal import Driver
internal import Properties

@_cdecl("FuzzChunked_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzChunked", count, arguments) { data, count in
        Driver.check(data, count, Property.chunked)
    }
}
