import NIOCore
import NIOHTTP1

/// Closes a connection that is idle for a time: after an answer and before any byte of the next request, never between.
///
/// On the connection's event loop. Told by the user outbound event `After`.
final class IdleCloser: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The connection is to be closed when it is idle for so long.
    struct After: Sendable { var time: TimeAmount }

    private var isIdle = true
    private var timer: Scheduled<Void>?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isIdle = false
        timer?.cancel()
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { isIdle = true }
        context.write(data, promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let after = event as? After else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if isIdle {
            let channel = context.channel
            timer = context.eventLoop.scheduleTask(in: after.time) { channel.close(promise: nil) }
        }
        promise?.succeed(())
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}
