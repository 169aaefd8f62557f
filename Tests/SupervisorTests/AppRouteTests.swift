import Config
import Machine
import Messages
import Testing

@testable import Supervisor

@Suite struct AppRouteTests {
    private func key(_ slot: Int, _ serial: UInt32 = 1) -> InstanceKey { InstanceKey(slot: slot, serial: serial) }
    private func address(_ port: UInt16) -> NetworkAddress { .ipv4(0x7F00_0001, port: port) }

    private func news(_ route: AppRoute, now: UInt64 = 1000) -> UpstreamNews {
        route.news(app: "api", upstream: "back", now: now) { address in address.port.map { (slot: UInt32($0), generation: 7) } }
    }

    @Test func aNewInstanceIsAddedAndAKnownOneIsChanged() {
        var route = AppRoute()
        route.route(key(0), address(3000), .full)
        route.route(key(1), address(3001), .full)
        route.unroute(key(0), address(3000), now: 5)
        route.route(key(0), address(3002), .full)
        #expect(news(route).instances.map(\.address) == ["127.0.0.1:3002", "127.0.0.1:3001"])
        #expect(news(route).instances.map(\.name) == ["api.0", "api.1"])
        #expect(news(route).instances.allSatisfy { !$0.isLeaving && $0.weight == 1 && $0.slotGeneration == 7 })
        #expect(news(route).instances.map(\.slot) == [3002, 3001])
    }

    @Test func whatLeavesStaysUntilItIsRemovedAndLeavesOnce() {
        var route = AppRoute()
        route.route(key(0), address(3000), .full)
        route.unroute(key(0), address(3000), now: 5)
        route.unroute(key(0), address(3000), now: 9)
        #expect(route.instances.map(\.leavingSince) == [5])
        #expect(news(route).instances.map(\.isLeaving) == [true])
        // That one only workers of another supervisor know.
        route.unroute(key(1), address(3001), now: 9)
        #expect(route.instances.map(\.leavingSince) == [5, 9])
        #expect(news(route).instances.map(\.address) == ["127.0.0.1:3000", "127.0.0.1:3001"])
        #expect(news(route).instances.map(\.isLeaving) == [true, true])
    }

    @Test func whatNobodyHasLeaves() {
        var route = AppRoute()
        route.route(key(0), address(3000), .full)
        route.route(key(1), address(3001), .full)
        for (now, isNew) in [(5, true), (9, false)] as [(UInt64, Bool)] {
            let hadStale = route.unroute(except: [key(0, 2), key(1)], now: now)
            #expect(hadStale == isNew)
            #expect(route.instances.map(\.leavingSince) == [5, nil])
        }
    }

    @Test func aSliceIsATenthOfWhatAnotherGets() {
        var route = AppRoute()
        route.route(key(0), address(3000), .full)
        #expect(news(route).instances.map(\.weight) == [1])
        route.route(key(0, 2), address(3001), .slice)
        #expect(news(route).instances.map(\.weight) == [10, 1])
        #expect(news(route).instances.map(\.isOnTrial) == [false, true])
        route.route(key(1), address(3002), .none)
        #expect(news(route).instances.map(\.isLeaving) == [false, false, true])
    }

    /// Outlook, and what of it the workers are told at 1000 ms: instances that start, time to the next start, failures.
    @Test(arguments: [
        (AppOutlook.up, 1, nil, 0), (.down, 0, nil, 0), (.coming(nextStart: .milliseconds(1000)), 1, nil, 0),
        (.coming(nextStart: .milliseconds(1500)), 0, 500, 0), (.implausible(nextStart: .milliseconds(3000)), 0, 2000, 3),
        (.implausible(nextStart: .milliseconds(500)), 0, 0, 3),
    ] as [(AppOutlook, UInt16, UInt64?, UInt16)])
    func theOutlookIsToldInTimesFromNow(outlook: AppOutlook, starting: UInt16, next: UInt64?, failed: UInt16) {
        var route = AppRoute()
        route.outlook = outlook
        let news = news(route)
        #expect(news.starting == starting && news.nextStart == next && news.failedStarts == failed && news.instances.isEmpty)
    }
}
