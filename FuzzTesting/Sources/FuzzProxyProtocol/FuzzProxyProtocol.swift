internal import Driver
internal import Properties

@_cdecl("FuzzProxyProtocol_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzProxyProtocol", count, arguments) { data, count in
        Driver.check(data, count, Property.proxyProtocol)
    }
}
