internal import Glibc

/// Reads the files of `env_file`. The supervisor may open more than the app's user, and the folder is often his: so what is no regular
/// file is not opened, none is read without a limit, and one that the user could not read himself is read only if nobody else can change
/// what its path leads to.
struct EnvironmentFileReader {
    let account: AppAccount

    static let bytesMax = 1 << 20

    func read(_ path: String) throws(AppEnvironment.Failure) -> [UInt8] {
        let walk: PathWalk
        do throws(SystemError) { walk = try PathWalk(path) } catch { throw .unreadable(path: path, error) }
        // To open a FIFO would wait for its other end, and to open a device may do something.
        guard walk.facts.kind == S_IFREG else { throw .unsuitable(path: path, reason: "is no regular file") }
        if let identity = account.identity, !walk.isReadable(by: identity),
            let place = walk.changeable(butBy: [0, System.effectiveUser, walk.facts.user]) {
            throw .unsuitable(path: path, reason: """
                is a file that user \(identity.user) must not read, and others can change where "\(place)" leads: let the user read \
                it, or keep it where only its owner and root can write
                """)
        }
        do throws(SystemError) {
            // Its owner may have taken a lease, which open(2) would wait for.
            return try System.readFile("/proc/self/fd/\(walk.entry.number)", flags: O_NONBLOCK, bytesMax: Self.bytesMax)
        } catch {
            throw error.code == EFBIG ? .unsuitable(path: path, reason: "is longer than 1 MB") : .unreadable(path: path, error)
        }
    }
}
