internal import CFuzzer
internal import Glibc

/// What all fuzz targets share: a main function, and how a broken property ends the process.
package enum Driver {
    /// Runs libFuzzer with the arguments of the process. If `Dictionaries/NAME.dict` exists it is used.
    ///
    /// SwiftPM defines `main` as NAME_main, so each target exports that and calls this.
    package static func run(
        _ name: String, _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt {
        var list = (0..<Int(count)).map { arguments?[$0] }
        let dictionary = "Dictionaries/\(name).dict"
        if access(dictionary, R_OK) == 0 { list.append(strdup("-dict=" + dictionary)) }
        var total = CInt(list.count)
        list.append(nil)
        return list.withUnsafeMutableBufferPointer { buffer in
            var vector = buffer.baseAddress
            return LLVMFuzzerRunDriver(&total, &vector, callback)
        }
    }

    /// Checks a property of an input; a broken one ends the process, which libFuzzer records.
    package static func check(
        _ data: UnsafePointer<UInt8>?, _ count: Int, _ property: ([UInt8]) -> String?
    ) -> CInt {
        let input = Array(UnsafeBufferPointer(start: data, count: count))
        if let message = property(input) { fatalError(message) }
        return 0
    }
}
