import Control

await ControlProgram.start()
