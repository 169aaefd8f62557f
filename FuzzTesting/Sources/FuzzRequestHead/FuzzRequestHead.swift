internal import Driver
internal import Properties

@_cdecl("FuzzRequestHead_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzRequestHead", count, arguments) { data, count in
        Driver.check(data, count, Property.requestHead)
    }
}
