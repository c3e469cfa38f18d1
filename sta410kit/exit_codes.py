"""The exit codes of every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of every `sta410` command.

    Outcomes are not exceptions: a gate that refuses data has done its work. Exceptions of the kit name
    theirs (`STA410Exception.exit_code`), and the command line maps them in one place. Scripts may rely on
    the numbers.
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
    SCHEDULER_UNAVAILABLE = 9
    NOT_REPRODUCED = 10
    SOURCE_UNAVAILABLE = 11
    NOT_DUE = 12
    INTERRUPTED = 130
