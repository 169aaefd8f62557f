internal import Driver
internal import Properties

@_cdecl("FuzzResponseHead_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzResponseHead", count, arguments) { data, count in
        Driver.check(data, count, Property.responseHead)
    }
}
