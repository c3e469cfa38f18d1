"""The verdict in words: one sentence, and the form a notebook shows."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sta410kit.research.skill_evidence import SkillEvidence

SKILL, NO_SKILL, TOO_FEW = "skill", "no skill shown", "not enough data"
_COLOURS = {SKILL: "#007a59", NO_SKILL: "#9a5b00", TOO_FEW: "#555555"}
_TOO_GOOD = 0.1  # R2; beyond what daily returns have been seen to hold


def sentence_of(verdict: str, evidence: SkillEvidence, *, needed: int) -> str:
    """Return the verdict as one or two sentences; `needed` is the number of sessions that are enough."""
    ahead = "the next session" if evidence.horizon == 1 else f"{evidence.horizon} sessions ahead"
    over = f"for {ahead}" if evidence.horizon == 1 else ahead
    if verdict == TOO_FEW:
        return f"{evidence.sessions} sessions are too few to tell skill from luck {over}; it takes {needed}."
    if evidence.model == "naive" and evidence.gain == 0:
        return f"This is the naive forecast of no change {over} itself; others are measured against it."
    who = evidence.model
    if len(evidence.models) > 1:
        who += f", the best of {len(evidence.models)} models,"
    beats = "beats" if verdict == SKILL else "does not beat"
    what = f"{who} {beats} the naive forecast of no change {over}: {_measured(evidence)}."
    return " ".join([what, *_remarks(verdict, evidence)])


def _measured(evidence: SkillEvidence) -> str:
    trials = "one trial" if evidence.trials == 1 else f"{evidence.trials:,} trials"
    return (
        f"out-of-sample R2 against naive is {evidence.r2:+z.2%} "
        f"(95 % interval {evidence.r2_low:+z.2%} to {evidence.r2_high:+z.2%}, "
        f"p = {evidence.p_value:.3f} after {trials}, {evidence.sessions:,} sessions)"
    )


def _remarks(verdict: str, evidence: SkillEvidence) -> list[str]:
    """Return what has to be said besides: why not, what to check first, and what could not be counted."""
    remarks = []
    if verdict == SKILL and evidence.r2 > _TOO_GOOD:
        remarks.append("That is more than returns are known to hold: look for a leak before believing it.")
    elif verdict != SKILL and evidence.gain > 0 and evidence.r2_mean <= 0:
        remarks.append("A constant would have done as well: a drift is no skill.")
    elif verdict != SKILL and evidence.gain > 0 >= evidence.gain_without_best:
        remarks.append(f"Without its best {evidence.stretch} sessions in a row nothing is left.")
    elif verdict != SKILL and evidence.horizon == 1:
        remarks.append("That is expected on daily returns.")
    if evidence.uncounted:
        remarks.append(f"Mind that {evidence.uncounted}.")
    return remarks


def page(verdict: str, sentence: str, evidence: SkillEvidence) -> str:
    """Return the verdict as HTML: the sentence, the scores with their intervals, the numbers on demand."""
    colour = _COLOURS[verdict]
    numbers = {name: value for name, value in asdict(evidence).items() if name != "scores"}
    rows = "".join(_row(name.replace("_", " "), _shown(value)) for name, value in numbers.items())
    scores = "".join(
        _row(name.replace("_", " "), f"{one.value:.4g}", f"{one.low:.4g}", f"{one.high:.4g}")
        for name, one in evidence.scores.items()
    )
    return (
        f'<div style="border-left:4px solid {colour};padding:0.3em 1em">'
        f"<p><strong>{escape(verdict)}</strong>: {escape(sentence)}</p>"
        f"<details><summary>the numbers</summary><table><tr><th>score</th><th>value</th><th>95 % from</th>"
        f"<th>to</th></tr>{scores}</table><table>{rows}</table></details></div>"
    )


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
