/// All rules, in the order of their numbers.
package enum Rulebook {
    /// P01 to P30.
    package static let all: [Rule] = [
        P01NothingListens.rule, P02AddressFamily.rule, P03NetworkNamespace.rule,
        P04StaleName.rule, P05NameUnresolved.rule, P06KeepaliveRace.rule,
        P07DiedMidRequest.rule, P08PostNotRetried.rule, P09AllEjected.rule,
        P10OutOfMemory.rule, P11CrashLoop.rule, P12ReloadNotSeamless.rule,
        P13StoppedWhileRouted.rule, P14ReloadCutsStreams.rule, P15RestartGap.rule,
        P16SocketMissing.rule, P17PermissionDenied.rule, P18UnixBacklogFull.rule,
        P19ConnectTimeout.rule, P20Unreachable.rule, P21LocalPorts.rule,
        P22Descriptors.rule, P23HeaderTooBig.rule, P24IllegalFraming.rule,
        P25WrongProtocol.rule, P26UpstreamTLS.rule, P27PortTaken.rule,
        P28Slow.rule, P29HealthForgotten.rule, P30ApplicationAnswered.rule,
    ]

    /// The rule with an id such as `P06`.
    package static func rule(_ id: some StringProtocol) -> Rule? { all.first { $0.id == id } }
}
