/// Names one spawned instance of an app: which slot it fills, and the how-manyth spawn of this app it is.
///
/// Two instances may fill one slot for a short time (a roll starts the new one before it stops the old one); they
/// never share a serial. A serial is never used twice in the life of an app, not even across restarts of the
/// supervisor, so that a late event of a dead keeper cannot be taken for one of its successor.
package struct InstanceKey: Hashable, Sendable {
    /// Position of the instance within its app, from 0.
    package let slot: Int
    /// Number of the spawn within its app, from 1.
    package let serial: UInt32

    /// Makes a key of its two parts.
    package init(slot: Int, serial: UInt32) {
        self.slot = slot
        self.serial = serial
    }
}
