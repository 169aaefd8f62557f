internal import Driver
internal import Properties

@_cdecl("FuzzDNS_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzDNS", count, arguments) { data, count in
        Driver.check(data, count, Property.dns)
    }
}
