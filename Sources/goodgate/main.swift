internal import CSystem
internal import Supervisor

exit(Program.main(CommandLine.arguments))
