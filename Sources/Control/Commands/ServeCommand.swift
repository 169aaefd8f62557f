import ArgumentParser
import Messages

/// `goodgate-control serve`: the control process. The supervisor starts it.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the control socket (started by goodgate itself).", shouldDisplay: false)

    func run() async throws {
        guard ChannelSystem.isOpen(MessageLimits.channelDescriptor) else {
            throw ValidationError("\"serve\" is started by goodgate itself: see \"control\" in docs/configuration.md")
        }
        await ControlServer().run(channel: MessageLimits.channelDescriptor)
    }
}
