package import ArgumentParser

/// `goodgate-control`: every subcommand of `goodgate` but `run`. The supervisor's program executes it, so that the privileged part stays small.
package struct ControlProgram: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "goodgate",
        abstract: "A reverse proxy and process supervisor that never serves an avoidable 502, and explains every error it does serve.",
        discussion: """
            EXAMPLES
              goodgate status --watch                   workers, apps and upstreams, live
              goodgate deploy api --env VERSION=2       a new release, proven before the old one goes
              goodgate init /srv/shop                   write a configuration for the application there
              goodgate drill --short                    faults under load: nothing may fail
              goodgate why                              the last failure: cause, evidence, fix
              goodgate check /etc/nginx/nginx.conf      will it run here, and what is risky in it
              goodgate doctor --since 24h               explain the 502s of a host that runs nginx
              tail -n 20 error.log | goodgate explain   explain lines of an error log
              goodgate -t -c site.conf                  test a configuration as nginx does
            """,
        subcommands: [
            StatusCommand.self, AppCommand.self, DeployCommand.self, RollbackCommand.self, DrainCommand.self,
            UndrainCommand.self, UpgradeCommand.self, IncidentsCommand.self, WhyCommand.self,
            CheckCommand.self, DoctorCommand.self, ExplainCommand.self, InitCommand.self, CompatibilityCommand.self,
            ServeCommand.self, DemoAppCommand.self, DrillCommand.self,
        ])

    package init() {}

    /// Parses the process's arguments and runs the subcommand; exits with its status.
    package static func start() async { await main() }
}
