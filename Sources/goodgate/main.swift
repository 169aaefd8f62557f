internal import CLinux
internal import Glibc
internal import Supervisor

exit(Program.main(CommandLine.arguments))
