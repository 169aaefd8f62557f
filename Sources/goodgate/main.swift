internal import CSystem
internal import Glibc
internal import Supervisor

exit(Program.main(CommandLine.arguments))
