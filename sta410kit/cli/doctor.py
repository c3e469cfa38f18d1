"""``sta410 doctor``: the deployment checklist."""

import click

from sta410kit.exit_codes import ExitCode


@click.command()
def doctor() -> int:
    """Check configuration, secrets, data, kernel and disk.

    This is the checklist before a deployment. Ends with 0 when nothing failed, warnings or not, else with 2.
    """
    from sta410kit.runner.doctor import FAILED, examine

    findings = examine()
    width = max(len(finding.subject) for finding in findings)
    colours = {"ok": "green", "warning": "yellow", "failed": "red"}
    for finding in findings:
        state = click.style(f"{finding.state:<8}", fg=colours[finding.state])
        click.echo(f"{state} {finding.subject:<{width}}  {finding.text}")
        if finding.advice:
            click.echo(f"{'':<{width + 11}}-> {finding.advice}")
    return ExitCode.USAGE if any(finding.state == FAILED for finding in findings) else ExitCode.PASSED
