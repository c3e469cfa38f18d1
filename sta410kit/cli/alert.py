"""``sta410 alert``: whether alerts arrive, and what is open."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.cli.options import json_option, print_json
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode


@click.command()
@click.option("--test", is_flag=True, help="Send a test message to each channel of ALERT_URLS.")
@json_option
def alert(*, test: bool, as_json: bool) -> int:
    """Show the incidents that are open and how the channels of ALERT_URLS do.

    With --test, ends with 2 where a channel did not take the message.
    """
    from dataclasses import asdict

    from sta410kit.runner.alert_channels import channel_name, channel_urls
    from sta410kit.runner.alerts import read_state, send_test
    from sta410kit.runner.runs import runs_folder
    from sta410kit.runner.terminal import say

    urls = channel_urls()
    if not urls:
        message = "no alerts are sent: ALERT_URLS is empty; see docs/night.md"
        raise ConfigurationError(message)
    if test:
        found = send_test()
        if as_json:
            print_json([{**asdict(one), "sent": one.sent} for one in found])
        for one in found if not as_json else ():
            say(f"channel {one.channel}: {one.problem or 'sent'}", "" if one.sent else "red")
        return ExitCode.PASSED if all(one.sent for one in found) else ExitCode.USAGE
    state = read_state(runs_folder(Path.cwd()))
    if as_json:
        print_json({name: state[name] for name in ("open", "channels")})
        return ExitCode.PASSED
    for one in state["open"].values():
        say(f"open since {one['since'][:16]} UTC: {one['title']}")
    if not state["open"]:
        say("no incident is open")
    for place, url in enumerate(urls, 1):
        known = state["channels"].get(channel_name(place, url), {})
        say(f"channel {channel_name(place, url)}: {known.get('problem') or 'no failure known'}")
    return ExitCode.PASSED
