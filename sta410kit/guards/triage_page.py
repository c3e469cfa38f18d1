"""The page of a triage: each decision with its findings drawn in context, and the entries to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit._internal.pages import render as render_page
from sta410kit.guards.drawings import draw_finding
from sta410kit.guards.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from markupsafe import Markup

    from sta410kit.guards.decisions import Decision
    from sta410kit.guards.result import GuardResult

_DRAWN = 3  # findings of a decision


def render(
    result: GuardResult, decisions: Sequence[Decision], frame: pd.DataFrame, title: str, back: str = ""
) -> str:
    """Return the page as HTML that needs no network and no script.

    Parameters
    ----------
    result : GuardResult
        What the gate found.
    decisions : sequence of Decision
        What `triage` made of it.
    frame : DataFrame
        The frame that was judged.
    title : str
        What was judged, such as the name of a file.
    back : str
        The page that this one is beside; none when empty.
    """
    drawn = [_drawn(frame, one) for one in decisions]
    return render_page(
        "triage.html",
        title=title,
        back=back,
        result=result,
        decisions=list(zip(decisions, drawn, strict=True)),
    )


def _drawn(frame: pd.DataFrame, decision: Decision) -> list[tuple[str, Markup]]:
    """Draw the first finding of each of the first few symbols, or of the one symbol there is."""
    found = decision.findings.drop_duplicates("symbol")
    found = (decision.findings if len(found) < _DRAWN else found).head(_DRAWN)
    places, symbols, days = (found[name].to_numpy() for name in ("position", "symbol", "day"))
    return [draw_finding(frame, Evidence(places, symbols, days), at) for at in range(len(found))]
