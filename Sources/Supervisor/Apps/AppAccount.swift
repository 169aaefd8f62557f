internal import Glibc

/// The account an instance runs under.
struct AppAccount: Equatable {
    /// nil: no change, the supervisor's own.
    var identity: KeeperInstructions.Identity?
    var name: String
    var home: String
    var shell: String

    /// A user or group that does not exist.
    struct Unknown: Error, Equatable { var name: String }

    /// Looks a user up; without one, the supervisor's own account.
    ///
    /// - Throws: When the user or the group is unknown.
    static func find(user: String?, group: String?) throws(Unknown) -> AppAccount {
        var account = unsafe record { unsafe user == nil ? getpwuid(geteuid()) : getpwnam(user ?? "") }
        if let user, account == nil { throw Unknown(name: user) }
        guard let user else {
            account?.identity = nil
            return account ?? AppAccount(identity: nil, name: "root", home: "/", shell: "/bin/sh")
        }
        guard var found = account, var identity = found.identity else { throw Unknown(name: user) }
        if let group {
            guard let number = System.group(named: group) else { throw Unknown(name: group) }
            identity.group = number
        }
        identity.groups = System.groups(ofUser: user, group: identity.group)
        found.identity = identity
        // Without root nobody else can be become; to be oneself needs nothing.
        if !System.isRoot, identity.user == System.effectiveUser { found.identity = nil }
        return found
    }

    private static func record(_ lookUp: () -> UnsafeMutablePointer<passwd>?) -> AppAccount? {
        // SAFETY: the record is valid until the next look-up; everything is copied at once, and there is one thread.
        guard let entry = unsafe lookUp() else { return nil }
        return unsafe AppAccount(
            identity: KeeperInstructions.Identity(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid),
            name: String(cString: entry.pointee.pw_name), home: String(cString: entry.pointee.pw_dir),
            shell: String(cString: entry.pointee.pw_shell))
    }
}
