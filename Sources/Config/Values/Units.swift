/// A time in milliseconds, >= 0.
package typealias Milliseconds = Int
/// A time in seconds.
package typealias Seconds = Int
/// A size in bytes, >= 0.
package typealias ByteCount = Int
/// Raw text of the configuration; no encoding is assumed.
package typealias Bytes = [UInt8]
