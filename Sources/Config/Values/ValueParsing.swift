/// nginx's notations of numbers, sizes and times.
package enum ValueParsing {
    /// Decimal digits only. nil: empty, another byte, or too large.
    package static func integer(_ text: some Collection<UInt8>) -> Int? {
        guard !text.isEmpty else { return nil }
        var value = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte &- 0x30))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// A number with `k`, `m` or, if `allowsGiga`, `g` behind it, in either case.
    package static func size(_ text: some BidirectionalCollection<UInt8>, allowsGiga: Bool = false) -> ByteCount? {
        guard let last = text.last else { return nil }
        let shift: Int
        switch last | 0x20 {
        case UInt8(ascii: "k"): shift = 10
        case UInt8(ascii: "m"): shift = 20
        case UInt8(ascii: "g") where allowsGiga: shift = 30
        default: return integer(text)
        }
        guard let number = integer(text.dropLast()) else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : value
    }

    /// A time such as `1h 30m`, `90`, `500ms`: units `y M w d h m s ms` in descending order; a number without unit is seconds.
    ///
    /// Years are for seconds only, milliseconds for milliseconds only, as in nginx.
    package static func milliseconds(_ text: some Collection<UInt8>) -> Milliseconds? {
        time(text, unitsPerSecond: 1_000)
    }

    /// As `milliseconds(_:)`, in seconds.
    package static func seconds(_ text: some Collection<UInt8>) -> Seconds? { time(text, unitsPerSecond: 1) }

    /// The steps are nginx's, in descending order of unit: 1 year … 7 second, 8 millisecond, 9 a number that a space ended.
    private static func time(_ text: some Collection<UInt8>, unitsPerSecond: Int) -> Int? {
        let bytes = Array(text)
        let isSeconds = unitsPerSecond == 1
        var step = isSeconds ? 0 : 2
        var (total, value, index) = (0, 0, 0)
        var hasDigits = false
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte >= 0x30, byte <= 0x39 {
                guard let next = add(value, times: 10, to: Int(byte &- 0x30)) else { return nil }
                (value, hasDigits) = (next, true)
                continue
            }
            let isMilli = byte == UInt8(ascii: "m") && index < bytes.count && bytes[index] == UInt8(ascii: "s")
            guard let unit = unit(byte, isMilli: isMilli) else { return nil }
            let isInOrder = unit.step == 9 ? step < 7 : step < unit.step
            guard isInOrder, !(isMilli && isSeconds) else { return nil }
            if isMilli { index += 1 }
            let scale = isMilli ? 1 : unit.scale * unitsPerSecond
            guard let sum = add(value, times: scale, to: total) else { return nil }
            (step, total, value) = (unit.step, sum, 0)
            while index < bytes.count, bytes[index] == UInt8(ascii: " ") { index += 1 }
        }
        return hasDigits ? add(value, times: unitsPerSecond, to: total) : nil
    }

    private static func unit(_ byte: UInt8, isMilli: Bool) -> (step: Int, scale: Int)? {
        switch byte {
        case UInt8(ascii: "y"): (1, 31_536_000)
        case UInt8(ascii: "M"): (2, 2_592_000)
        case UInt8(ascii: "w"): (3, 604_800)
        case UInt8(ascii: "d"): (4, 86_400)
        case UInt8(ascii: "h"): (5, 3_600)
        case UInt8(ascii: "m"): isMilli ? (8, 0) : (6, 60)
        case UInt8(ascii: "s"): (7, 1)
        case UInt8(ascii: " "): (9, 1)
        default: nil
        }
    }

    private static func add(_ value: Int, times scale: Int, to total: Int) -> Int? {
        let (product, overflow) = value.multipliedReportingOverflow(by: scale)
        let (sum, carry) = total.addingReportingOverflow(product)
        return overflow || carry ? nil : sum
    }
}
