"""``sta410 doctor``: the checklist of an installation, and of a deployment."""

import click

from sta410kit.exit_codes import ExitCode


@click.command()
@click.option(
    "--environment",
    type=click.Choice(["production"]),
    help="Take the whole checklist of a deployment, where a warning counts as a failure.",
)
def doctor(environment: str | None) -> int:
    """Check configuration, secrets, data, kernel and disk.

    Ends with 0 when nothing failed, warnings or not, else with 2. With --environment production also: that
    Alpaca takes the credentials, tests passed, the image is built, someone is alerted, and a backup was made.
    """
    from sta410kit.runner import deployment
    from sta410kit.runner.doctor import CHECKS, OK, WARNING, examine

    findings = examine(deployment.checks() if environment else CHECKS)
    fine = {OK} if environment else {OK, WARNING}
    width = max(len(finding.subject) for finding in findings)
    colours = {"ok": "green", "warning": "yellow", "failed": "red"}
    for finding in findings:
        state = click.style(f"{finding.state:<8}", fg=colours[finding.state])
        click.echo(f"{state} {finding.subject:<{width}}  {finding.text}")
        if finding.advice:
            click.echo(f"{'':<{width + 11}}-> {finding.advice}")
    return ExitCode.PASSED if {finding.state for finding in findings} <= fine else ExitCode.USAGE
