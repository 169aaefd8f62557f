import ArgumentParser
import Control

ControlProgram.main()
