internal import Driver
internal import Properties

@_cdecl("FuzzURI_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzURI", count, arguments) { data, count in
        Driver.check(data, count, Property.uri)
    }
}
