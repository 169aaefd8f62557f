/// What `-h` prints after the version line.
package enum HelpText {
    /// - Parameter isRun: for `goodgate run -h`.
    package static func text(for identity: Identity, isRun: Bool = false) -> String {
        if identity.isNginx { return options(of: identity) }
        return isRun ? run + options(of: identity) : subcommands + options(of: identity) + examples
    }

    private static func options(of identity: Identity) -> String {
        """
        Usage: \(identity.name) [-?hvVtTq] [-s signal] [-p prefix]
                     [-e filename] [-c filename] [-g directives]

        Options:
          -?,-h         : this help
          -v            : show version and exit
          -V            : show version and configure options then exit
          -t            : test configuration and exit
          -T            : test configuration, dump it and exit
          -q            : suppress non-error messages during configuration testing
          -s signal     : send signal to a master process: stop, quit, reopen, reload
          -p prefix     : set prefix path (default: \(identity.isNginx ? identity.prefix : "the folder of the configuration file"))
          -e filename   : set error log file (default: \(identity.errorLogPath))
          -c filename   : set configuration file (default: \(identity.configurationPaths.joined(separator: ", then ")))
          -g directives : set global directives out of configuration file


        """
    }

    private static let subcommands = """
        A reverse proxy and process supervisor that runs nginx configurations.

        Usage: goodgate COMMAND [...]      or, as nginx: goodgate [options]

        Commands:
          run           : supervise in the foreground (takes the options below)
          check FILE    : say what of a configuration is supported, with file and line
          status        : workers, applications and upstreams of the running gateway
          app, deploy, rollback, drain, undrain, upgrade, init, drill
          incidents, why, explain, doctor
          demo-app      : the small application of the demo
          compatibility : what of nginx's directives works
          version       : show version and exit
          help COMMAND  : more on one of them


        """

    private static let run = """
        Starts the workers and applications of a configuration and supervises them in the foreground, whatever "daemon" says, until
        SIGTERM, SIGINT or SIGQUIT: for systemd, containers and a terminal. SIGHUP reloads. Its options are those of goodgate without
        a command, whose usage follows.


        """

    private static let examples = """
        Examples:
          goodgate run -c ./site.conf          serve a configuration in the foreground
          goodgate -t -c /etc/nginx/nginx.conf test it, and list every error at once
          goodgate -s reload                   load the changed configuration, without losing a request
          goodgate -c /etc/nginx/nginx.conf    serve it as a daemon, as nginx would

        """
}
