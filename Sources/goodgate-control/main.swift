import Control

ControlProgram.start()
