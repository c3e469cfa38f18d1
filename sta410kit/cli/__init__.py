"""The command line: one file a command, put together in `entry`."""

from sta410kit.cli.entry import main

__all__ = ["main"]
