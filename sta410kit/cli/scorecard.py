"""``sta410 scorecard``: how earlier forecasts came out."""

from pathlib import Path

import click

from sta410kit.cli.options import json_option, print_json
from sta410kit.exit_codes import ExitCode


@click.command()
@json_option
def scorecard(*, as_json: bool) -> int:
    """Show how the forecasts of earlier runs came out.

    Each run of the chain that passes logs its forecasts and notes the outcomes that its prices know. Only
    forecasts made before their outcome are scored. The log is the project's runs/forecasts.sqlite.
    """
    from sta410kit.research.forecast_log import FILE, ForecastLog
    from sta410kit.runner.runs import runs_folder
    from sta410kit.runner.scorecard import print_scorecard, scorecard_rows

    log = ForecastLog(runs_folder(Path.cwd()) / FILE)
    found = log.read()
    if as_json:
        print_json({"log": str(log.path), "logged": len(found), "models": scorecard_rows(found)})
    else:
        print_scorecard(found, log.path)
    return ExitCode.PASSED
