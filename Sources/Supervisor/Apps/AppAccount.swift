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
        guard let entry = System.account(named: user) else {
            if let user { throw Unknown(name: user) }
            return AppAccount(identity: nil, name: "root", home: "/", shell: "/bin/sh")
        }
        var account = AppAccount(identity: nil, name: entry.name, home: entry.home, shell: entry.shell)
        guard let user else { return account }
        var identity = KeeperInstructions.Identity(user: entry.user, group: entry.group)
        if let group {
            guard let number = System.group(named: group) else { throw Unknown(name: group) }
            identity.group = number
        }
        identity.groups = System.groups(ofUser: user, group: identity.group)
        // Without root nobody else can be become; to be oneself needs nothing.
        if System.isRoot || identity.user != System.effectiveUser { account.identity = identity }
        return account
    }
}
