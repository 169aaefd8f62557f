import Config
import Loop
import Machine
import Wire

/// `upstream_health`: whether the groups can serve, for uptime tools and outer balancers. 200 if each of them has a peer that may get
/// requests, else 503; the body says how many are in which condition, and no addresses.
extension Ref where Value == Request {
    /// - Parameter wanted: index of the only group to show; nil: all that the configuration names.
    func serveUpstreamHealth(of wanted: Int?) {
        guard value.method == .get || value.method == .head else { return finish(.status(405)) }
        guard !isMain || ignoreBody() else { return }
        let upstreams = worker.value.http.value.upstreams
        var isHealthy = true
        let list = compose { out in
            var isFirst = true
            for index in upstreams.indices where wanted.map({ $0 == index }) ?? !upstreams[index].value.settings.value.isImplicit {
                if !isFirst { out.append(",") }
                isFirst = false
                if !describe(upstreams[index], to: out) { isHealthy = false }
            }
        }
        let text = compose { out in
            out.append("{\"healthy\":")
            out.append(isHealthy ? "true" : "false")
            out.append(",\"upstreams\":[")
            out.append(list)
            out.append("]}\n")
        }
        value.response.status = isHealthy ? 200 : 503
        value.response.setContentType("application/json")
        value.response.append("Cache-Control", "no-store", token: .cacheControl)
        respond(Segment(text))
    }

    /// Appends one group. - Returns: whether it can serve.
    private func describe(_ upstream: Ref<Upstream>, to out: Ref<Buffer>) -> Bool {
        upstream.absorbNews(now: worker.now)
        let counts = upstream.value.balancer.conditions(now: Machine.Milliseconds(worker.now))
        let isHealthy = counts[.up] > 0
        out.append("{\"name\":\"")
        let name = upstream.value.label
        out.write(reserving: 6 * name.count) { _ = LogEscape.json.write(name, into: &$0) }
        out.append("\",\"healthy\":")
        out.append(isHealthy ? "true" : "false")
        out.append(",\"servers\":{\"total\":")
        out.append(decimal: upstream.value.balancer.peerCount)
        for condition in PeerCondition.allCases {
            out.append(",\"")
            out.append(condition.name)
            out.append("\":")
            out.append(decimal: counts[condition])
        }
        out.append("}}")
        return isHealthy
    }
}

extension PeerCondition {
    fileprivate var name: ByteView {
        switch self {
        case .up: "up"
        case .failed: "failed"
        case .unhealthy: "unhealthy"
        case .unproven: "unproven"
        case .draining: "draining"
        case .down: "down"
        }
    }
}
