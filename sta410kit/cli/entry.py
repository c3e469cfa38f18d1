"""The command line: its commands, and the one mapping of exceptions to exit codes."""

import signal
import sys
import warnings
from typing import NoReturn

import click

from sta410kit import __version__
from sta410kit.cli.alert import alert
from sta410kit.cli.backup import backup, restore
from sta410kit.cli.broken_pipe import keep_writing
from sta410kit.cli.completion import completion
from sta410kit.cli.config import config
from sta410kit.cli.docs import docs
from sta410kit.cli.doctor import doctor
from sta410kit.cli.due import due
from sta410kit.cli.fetch import fetch
from sta410kit.cli.kernel import kernel
from sta410kit.cli.lab import lab
from sta410kit.cli.leaks import leaks
from sta410kit.cli.metrics import metrics
from sta410kit.cli.mutate import mutate
from sta410kit.cli.new import new
from sta410kit.cli.night import night
from sta410kit.cli.options import JSON, print_json
from sta410kit.cli.params import params
from sta410kit.cli.profile import profile
from sta410kit.cli.regress import regress
from sta410kit.cli.run import run
from sta410kit.cli.runs import diff, runs, show, verify
from sta410kit.cli.scan import scan
from sta410kit.cli.scorecard import scorecard
from sta410kit.cli.serve import serve, ui
from sta410kit.cli.suggest import suggest
from sta410kit.cli.sweep import sweep
from sta410kit.cli.trade import trade
from sta410kit.cli.triage import triage
from sta410kit.cli.trials import trials
from sta410kit.cli.unseal import unseal
from sta410kit.cli.user import user
from sta410kit.cli.validate import validate
from sta410kit.exceptions import STA410Exception
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.warm.identity import SLOW_GRAMMARS

_SHOWN = 100  # characters of a path in a message
_DEFECT = "internal error; please report it with the lines above: it is a defect of the kit"


def main() -> NoReturn:
    """Run the command line and exit with the command's code."""
    signal.signal(signal.SIGTERM, _interrupt)
    refused = keep_writing()
    _skip_slow_grammars()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment] # it is called by position
        try:
            code = cli.main(standalone_mode=False)  # None of a command that judges nothing: it has passed
        except Exception as error:  # noqa: BLE001 - every ending has its exit code; a traceback is printed, never lost
            code = _report(error)
    if reason := refused():
        _say(f"standard output could not be written ({reason}); what was printed is incomplete")
        code = code or ExitCode.INTERNAL
    sys.exit(int(code or 0))


def _report(error: Exception) -> ExitCode:
    """Say what ended a command, as JSON too where it was asked for, and return its exit code."""
    kind, message, code = _outcome(error)
    if JSON in sys.argv:
        content = {"type": kind, "message": message}
        print_json({"outcome": code.name, "exit_code": int(code), "error": content})
    if isinstance(error, click.ClickException):
        error.show()
    elif code is ExitCode.INTERNAL:
        import traceback

        traceback.print_exception(error)
        _say(_DEFECT)
    else:
        _say(f"{kind}: {message}" if isinstance(error, STA410Exception) else message)
    return code


def _outcome(error: Exception) -> tuple[str, str, ExitCode]:
    """Return the type, the message and the exit code of an exception: the one mapping there is."""
    if isinstance(error, click.exceptions.Abort):  # click's for KeyboardInterrupt
        return "KeyboardInterrupt", "interrupted", ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        return "UsageError", error.format_message(), ExitCode.USAGE
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{str(error.filename)[:_SHOWN]!r} cannot be used ({error.strerror})"
        return type(error).__name__, message, ExitCode.USAGE
    code = error.exit_code if isinstance(error, STA410Exception) else ExitCode.INTERNAL
    return type(error).__name__, str(error), code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sta410")
def cli() -> None:
    """Stock-prediction notebooks that can be trusted unattended."""


for _command in (
    run, new, lab, fetch, sweep, params, runs, show, diff, verify, regress, validate, docs, mutate,
    suggest, leaks, trials, triage, trade, scorecard, scan, unseal, due,
    night, profile, alert, metrics, serve, ui, user, backup, restore, doctor, config, kernel, completion,
):  # fmt: skip
    cli.add_command(_command)


def _skip_slow_grammars() -> None:
    """Keep jsonschema, which nbformat imports, from building them: 1.5 s of a command."""
    for name in SLOW_GRAMMARS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _interrupt(*_: object) -> NoReturn:
    """End as on Ctrl-C, so that kernels are shut down and the run gets its manifest."""
    raise KeyboardInterrupt


def _show_warning(message: Warning | str, *_: object) -> None:
    """Show what a warning says, without the line of the kit that gives it."""
    _say(f"warning: {message}")


def _say(text: str) -> None:
    from sta410kit._internal.redaction import redact
    from sta410kit._internal.text import printable

    click.echo(f"sta410: {printable(redact(text))}", err=True)
