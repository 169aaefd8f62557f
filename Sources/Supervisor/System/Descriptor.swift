internal import CLinux

/// An open descriptor with one owner or several; closed with the last of them.
final class Descriptor {
    let number: Int32

    /// Takes a descriptor over.
    init(owning number: Int32) { self.number = number }

    deinit { _ = cs_close(number) }
}
