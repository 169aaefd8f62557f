/// A point on, or a length of, the loop's monotonic clock in milliseconds, >= 0. All processes of one host share the
/// clock (CLOCK_MONOTONIC), so that times on the board can be compared.
package typealias Milliseconds = Int64

/// Whole seconds of a `Milliseconds` value. nginx counts `fail_timeout` windows in whole seconds, and so do we.
@inline(__always)
func wholeSeconds(_ time: Milliseconds) -> Int64 { time / 1000 }
