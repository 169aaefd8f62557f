/// What is known of the instances behind an upstream with `app`: all of them, replacing what was told before. Many come in parts.
///
/// Sent before `run` and at each change. A worker that knows no such upstream ignores it.
package struct UpstreamNews: Equatable, Sendable {
    /// An instance that may get requests, or that still serves some.
    package struct Instance: Equatable, Sendable {
        /// Address as text, in the form of a listen key: `127.0.0.1:3000`, `unix:/path`.
        package var address: String
        /// App and slot, `api.0`: what stays when an instance is started anew at another address.
        package var name: String
        /// Share of the traffic among the instances, 1 or more.
        package var weight: UInt16
        /// Nothing new goes there: it is on its way out, or dead. What runs there goes on.
        package var isLeaving: Bool
        /// It is a new release on trial: its failures are counted, and do not put it out, so that enough of them are seen.
        package var isOnTrial: Bool
        /// Its place on the board; nil: none, its state is each worker's own.
        package var slot: UInt32?
        /// Generation of the place.
        package var slotGeneration: UInt64

        package init(
            address: String, name: String, weight: UInt16 = 1, isLeaving: Bool = false, isOnTrial: Bool = false,
            slot: UInt32? = nil, slotGeneration: UInt64 = 0
        ) {
            self.address = address
            self.name = name
            self.weight = weight
            self.isLeaving = isLeaving
            self.isOnTrial = isOnTrial
            self.slot = slot
            self.slotGeneration = slotGeneration
        }
    }

    /// Name of the upstream.
    package var upstream: String
    package var instances: [Instance]
    /// Starts in a row that came to nothing, of the instance that is doing best.
    package var failedStarts: UInt16
    /// Instances that are starting now.
    package var starting: UInt16
    /// Milliseconds from now to the next start; nil: none is planned.
    package var nextStart: UInt64?
    /// Which part of the instances it has, from 0; and whether it is the last one.
    package var part: UInt16 = 0
    package var isComplete = true

    package init(
        upstream: String, instances: [Instance] = [], failedStarts: UInt16 = 0, starting: UInt16 = 0, nextStart: UInt64? = nil
    ) {
        self.upstream = upstream
        self.instances = instances
        self.failedStarts = failedStarts
        self.starting = starting
        self.nextStart = nextStart
    }

    /// Most instances in one packet.
    package static let instancesMax = 256
    private static let hasNoSlot = UInt32.max
}

extension UpstreamNews {
    /// The same in parts that fit into a packet each; one when there is no instance.
    package var packets: [UpstreamNews] {
        let room = MessageLimits.listBytesMax - min(upstream.utf8.count, MessageLimits.textBytesMax)
        let parts = instances.packets(most: Self.instancesMax, bytes: room) { $0.address.utf8.count + $0.name.utf8.count + 20 }
        guard parts.count > 1 else { return [self] }
        return parts.enumerated().map { index, list in
            var news = self
            (news.instances, news.part, news.isComplete) = (list, UInt16(clamping: index), index == parts.count - 1)
            return news
        }
    }

    func write(to writer: inout PacketWriter) throws(MessageError) {
        guard instances.count <= Self.instancesMax else { throw .tooLarge }
        writer.text(upstream)
        writer.integer(failedStarts)
        writer.integer(starting)
        writer.optional(nextStart)
        writer.integer(part)
        writer.flag(isComplete)
        try writer.count(instances.count)
        for instance in instances {
            writer.text(instance.address)
            writer.text(instance.name)
            writer.integer(instance.weight)
            writer.flag(instance.isLeaving)
            writer.flag(instance.isOnTrial)
            writer.integer(instance.slot ?? Self.hasNoSlot)
            writer.integer(instance.slotGeneration)
        }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        upstream = try reader.text()
        failedStarts = try reader.integer()
        starting = try reader.integer()
        nextStart = try reader.optional()
        part = try reader.integer()
        isComplete = try reader.flag()
        instances = []
        for _ in 0..<(try reader.count(max: Self.instancesMax, elementBytesMin: 20)) {
            var instance = Instance(address: try reader.text(), name: try reader.text())
            instance.weight = try reader.integer()
            instance.isLeaving = try reader.flag()
            instance.isOnTrial = try reader.flag()
            let slot: UInt32 = try reader.integer()
            instance.slot = slot == Self.hasNoSlot ? nil : slot
            instance.slotGeneration = try reader.integer()
            guard instance.weight > 0 else { throw .outOfRange }
            instances.append(instance)
        }
    }
}
