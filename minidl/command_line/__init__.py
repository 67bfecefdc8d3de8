"""The command line `minidl`: what is done with model files without writing Python."""

from minidl.command_line.program import main

__all__ = ["main"]
