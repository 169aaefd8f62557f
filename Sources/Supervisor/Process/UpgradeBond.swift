internal import CLinux
internal import Glibc

/// Two binaries live after an upgrade, in either order they may end, even at one time: whoever ends last stops the apps and removes the
/// files. Each holds a shared lock on one directory while it would still look after both. Giving it up is one step in the kernel (flock(2):
/// a conversion gives the old lock up first, and fails when somebody else has one), so that exactly one of the two is the last, and a
/// process that dies has given it up.
final class UpgradeBond {
    /// The environment variable by which the new program finds its lock.
    private static let environmentName = "GOODGATE_UPGRADE_BOND"

    private let directory: Descriptor

    private init(_ directory: Descriptor) { self.directory = directory }

    private convenience init(locking path: String) throws(SystemError) {
        self.init(try System.open(path, flags: O_RDONLY | O_DIRECTORY))
        if flock(directory.number, LOCK_SH | LOCK_NB) < 0 { throw SystemError(code: Glibc.errno) }
    }

    /// The locks of both programs. That of the new one is to be closed here once it runs.
    static func pair(in directory: String) throws(SystemError) -> (ours: UpgradeBond, theirs: UpgradeBond) {
        (try UpgradeBond(locking: directory), try UpgradeBond(locking: directory))
    }

    /// What the program that started this one left for it.
    static func inherited() -> UpgradeBond? {
        guard let number = System.inheritedDescriptor(named: environmentName) else { return nil }
        return UpgradeBond(number)
    }

    /// What the new program gets.
    var inheritance: (environment: String, descriptor: Int32) { ("\(Self.environmentName)=\(directory.number)", directory.number) }

    /// Gives the lock up, at the very end.
    /// - Returns: Whether the other program has done so before, or is gone: this one is the last.
    func resign() -> Bool { flock(directory.number, LOCK_EX | LOCK_NB) == 0 }
}
