"""Where every command begins and ends: each ending is mapped to its exit code here and nowhere else."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

import click

from sta410kit import __version__
from sta410kit.cli.broken_pipe import keep_writing
from sta410kit.cli.completion import completion
from sta410kit.cli.config import config
from sta410kit.cli.docs import docs
from sta410kit.cli.doctor import doctor
from sta410kit.cli.kernel import kernel
from sta410kit.cli.leaks import leaks
from sta410kit.cli.mutate import mutate
from sta410kit.cli.params import params
from sta410kit.cli.regress import regress
from sta410kit.cli.run import run
from sta410kit.cli.runs import diff, runs, show, verify
from sta410kit.cli.scan import scan
from sta410kit.cli.suggest import suggest
from sta410kit.cli.sweep import sweep
from sta410kit.cli.trials import trials
from sta410kit.cli.unseal import unseal
from sta410kit.cli.validate import validate
from sta410kit.exceptions import STA410Exception
from sta410kit.exit_codes import ExitCode

_ISSUES = "please report it with the lines above: it is a defect of the kit"


def main() -> NoReturn:
    """Run the command line and exit with the code that DESIGN's table gives the ending."""
    signal.signal(signal.SIGTERM, _interrupt)
    refused = keep_writing()
    _skip_slow_grammars()
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        _say("interrupted")
        code = ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except STA410Exception as error:
        _say(f"{type(error).__name__}: {error}")
        code = error.exit_code
    except Exception:  # noqa: BLE001 - the last door: the traceback is printed, never lost
        import traceback

        traceback.print_exc()
        _say(f"internal error; {_ISSUES}")
        code = ExitCode.INTERNAL
    if reason := refused():
        _say(f"what was printed is not whole: standard output cannot be written ({reason})")
        code = code or ExitCode.INTERNAL
    sys.exit(int(code or 0))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sta410")
def cli() -> None:
    """Stock-prediction notebooks that can be trusted unattended."""


for _command in (
    run, sweep, params, runs, show, diff, verify, regress, validate, docs, mutate, suggest, leaks, trials,
    scan, unseal, doctor, config, kernel, completion,
):  # fmt: skip
    cli.add_command(_command)


def _skip_slow_grammars() -> None:
    """Keep jsonschema, which nbformat imports, from building grammars of addresses and durations.

    They take a second of each command that reads a notebook, and no notebook's schema has either.
    jsonschema does without where the packages are not installed; this process looks as if they were not.
    """
    for name in ("rfc3987_syntax", "rfc3986_validator", "isoduration"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _interrupt(*_: object) -> NoReturn:
    """End as by Ctrl-C, so that kernels are shut down and the run gets its manifest."""
    raise KeyboardInterrupt


def _say(text: str) -> None:
    from sta410kit._internal.redaction import redact
    from sta410kit._internal.text import printable

    click.echo(f"sta410: {printable(redact(text))}", err=True)
