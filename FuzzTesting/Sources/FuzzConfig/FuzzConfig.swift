internal import ConfigProperties
internal import Driver

@_cdecl("FuzzConfig_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzConfig", count, arguments) { data, count in
        Driver.check(data, count, ConfigurationProperty.check)
    }
}
