import Gateway
import Glibc

var program = WorkerProgram()
exit(program.run())
