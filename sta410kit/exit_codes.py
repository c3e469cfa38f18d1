"""How a command can end: the one list of exit codes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of every `sta410` command.

    Endings are not exceptions: a gate that refuses data has done its work. Each command maps its result
    to one of these in one place, and scripts may rely on the numbers.
    """

    PASSED = 0
    INTERNAL = 1
    USAGE = 2
    DATA_REJECTED = 3
    NOTEBOOK_FAILED = 4
    LEAK_FOUND = 5
    SECRET_FOUND = 6
    TIMED_OUT = 7
    OUT_OF_MEMORY = 8
    SOURCE_UNAVAILABLE = 9
    NOT_REPRODUCED = 10
    INTERRUPTED = 130
