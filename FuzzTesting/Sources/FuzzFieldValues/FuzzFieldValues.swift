internal import Driver
internal import Properties

@_cdecl("FuzzFieldValues_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzFieldValues", count, arguments) { data, count in
        Driver.check(data, count, Property.fieldValues)
    }
}
