internal import Config
internal import Machine
internal import Messages

/// What the workers are to know of one app: its instances, and what is coming.
struct AppRoute {
    /// An instance that gets requests, or still serves some.
    struct Instance {
        var key: InstanceKey
        var address: NetworkAddress
        var share: RouteShare
        /// Since when nothing new goes there, in milliseconds; nil: it gets requests.
        var leavingSince: UInt64?
    }

    var instances: [Instance] = []
    var outlook = AppOutlook.coming(nextStart: .zero)

    /// Changes or adds an instance.
    mutating func route(_ key: InstanceKey, _ address: NetworkAddress, _ share: RouteShare) {
        if let index = instances.firstIndex(where: { $0.key == key }) {
            instances[index].address = address
            instances[index].share = share
            instances[index].leavingSince = nil
        } else {
            instances.append(Instance(key: key, address: address, share: share))
        }
    }

    /// Nothing new goes to an instance from now on. One that is not known may have requests of workers of the supervisor before.
    mutating func unroute(_ key: InstanceKey, _ address: NetworkAddress, now: UInt64) {
        guard let index = instances.firstIndex(where: { $0.key == key }) else {
            return instances.append(Instance(key: key, address: address, share: .none, leavingSince: now))
        }
        instances[index].leavingSince = instances[index].leavingSince ?? now
    }

    /// Nothing new goes to instances that nobody has any more.
    /// - Returns: whether there was any.
    mutating func unroute(except known: Set<InstanceKey>, now: UInt64) -> Bool {
        let stale = instances.filter { $0.leavingSince == nil && !known.contains($0.key) }
        for instance in stale { unroute(instance.key, instance.address, now: now) }
        return !stale.isEmpty
    }

    /// Weights, so that a slice is a tenth of what another instance gets.
    func weight(of instance: Instance) -> UInt16 {
        let hasSlice = instances.contains { $0.share == .slice }
        return hasSlice && instance.share == .full ? 10 : 1
    }

    /// The news for the workers of one configuration.
    /// - Parameter place: the board's place for an address of that upstream.
    func news(app: String, upstream: String, now: UInt64, place: (NetworkAddress) -> (slot: UInt32, generation: UInt64)?) -> UpstreamNews {
        var news = UpstreamNews(upstream: upstream)
        for instance in instances {
            let place = place(instance.address)
            news.instances.append(
                UpstreamNews.Instance(
                    address: instance.address.listenKey, name: "\(app).\(instance.key.slot)", weight: weight(of: instance),
                    isLeaving: instance.leavingSince != nil || instance.share == .none, isOnTrial: instance.share == .slice,
                    slot: place?.slot,
                    slotGeneration: place?.generation ?? 0))
        }
        switch outlook {
        case .up: news.starting = 1
        case .coming(let start):
            let time = UInt64(clamping: start.milliseconds)
            if time > now { news.nextStart = time - now } else { news.starting = 1 }
        case .implausible(let start):
            news.failedStarts = UInt16(AppMachine.failedStartsMax)
            let time = UInt64(clamping: start.milliseconds)
            news.nextStart = time > now ? time - now : 0
        case .down: break
        }
        return news
    }
}
