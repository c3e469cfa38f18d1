"""The outputs of a cell, compared with those it had before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from sta410kit.runner.comparison.figures import differences_of_figures
from sta410kit.runner.comparison.html import differences_of_html
from sta410kit.runner.comparison.text import differences_of_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sta410kit.runner.comparison.tolerance import Tolerance

_FIGURES = {"image/png", "image/jpeg", "image/gif"}
_FLEETING = {"application/vnd.jupyter.widget-view+json", "application/vnd.bokehjs_exec.v0+json"}
# Names that Matplotlib draws by lot in every SVG file, and the date it writes there.
_CHANCE = re.compile(r"""\b(id|xlink:href|href|clip-path)="[^"]*"|url\(#[^)]*\)|<dc:date>[^<]*</dc:date>""")
Output: TypeAlias = "Mapping[str, Any]"


def differences_of_outputs(
    expected: Sequence[Output], got: Sequence[Output], tolerance: Tolerance
) -> list[str]:
    """Return what differs between the outputs that a cell had and those it has now, in words.

    Standard output and standard error are compared as one text each, whatever pieces they came in; tracebacks
    by the exception alone; all else one by one, in order. Execution counts and metadata do not count.

    Parameters
    ----------
    expected, got : sequence of mapping
        Outputs as they stand in a notebook.
    tolerance : Tolerance
        How near numbers and figures must be.
    """
    found = []
    for name in ("stdout", "stderr"):
        before, after = _stream(expected, name), _stream(got, name)
        if bool(before.strip()) != bool(after.strip()):
            found.append(_missing_or_extra(name, before, after))
        else:
            found += [f"{name}: {text}" for text in differences_of_text(before, after, tolerance)]
    ours, theirs = _shown(expected), _shown(got)
    for one, other in zip(ours, theirs, strict=False):
        found += _of_shown(one, other, tolerance)
    found += [f"missing output: expected {_kind(one)}, got nothing" for one in ours[len(theirs) :]]
    found += [f"extra output: expected nothing, got {_kind(one)}" for one in theirs[len(ours) :]]
    return found


def _stream(outputs: Sequence[Output], name: str) -> str:
    return "".join(
        "".join(one["text"]) for one in outputs if one["output_type"] == "stream" and one["name"] == name
    )


def _shown(outputs: Sequence[Output]) -> list[Output]:
    return [one for one in outputs if one["output_type"] != "stream"]


def _of_shown(one: Output, other: Output, tolerance: Tolerance) -> list[str]:
    if "error" in {one["output_type"], other["output_type"]}:
        raised = [_kind(one), _kind(other)]
        return [] if raised[0] == raised[1] else [f"expected {raised[0]}, got {raised[1]}"]
    before, after = _comparable(one), _comparable(other)
    found = [f"missing output: expected {kind}, got none" for kind in before if kind not in after]
    found += [f"extra output: expected no {kind}, got one" for kind in after if kind not in before]
    for kind in before:
        if kind in after:
            found += _of_kind(kind, before[kind], after[kind], tolerance)
    return found


def _comparable(output: Output) -> dict[str, Any]:
    """Return an output by kind, without plain text where something richer says the same."""
    data = {
        kind: "".join(content) if isinstance(content, list) and not kind.endswith("json") else content
        for kind, content in output.get("data", {}).items()
        if kind not in _FLEETING
    }
    if any(kind == "text/html" or kind.startswith("image/") for kind in data):
        data.pop("text/plain", None)
    return data


def _of_kind(kind: str, before: Any, after: Any, tolerance: Tolerance) -> list[str]:  # noqa: ANN401 - JSON
    if kind in _FIGURES:
        return differences_of_figures(before, after, tolerance)
    if kind == "text/html":
        return differences_of_html(before, after, tolerance)
    if kind == "image/svg+xml":
        before, after = (_CHANCE.sub("", drawing) for drawing in (before, after))
    if isinstance(before, str) and isinstance(after, str):
        return differences_of_text(before, after, tolerance)
    return list(_of_json(before, after, tolerance, kind))


def _of_json(before: Any, after: Any, tolerance: Tolerance, place: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return in what two JSON values differ, each difference with the way to it."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = [f"{place}: key {key} is on one side only" for key in before.keys() ^ after.keys()]
        for key in before.keys() & after.keys():
            found += _of_json(before[key], after[key], tolerance, f"{place}.{key}")
        return sorted(found)
    if isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            return [f"{place}: expected {len(before)} items, got {len(after)}"]
        found = []
        for position, (one, other) in enumerate(zip(before, after, strict=True)):
            found += _of_json(one, other, tolerance, f"{place}[{position}]")
        return found
    if _is_number(before) and _is_number(after):
        whole = isinstance(before, int) and isinstance(after, int)
        same = tolerance.allows(float(before), float(after), whole=whole)
    elif isinstance(before, str) and isinstance(after, str):
        same = not differences_of_text(before, after, tolerance)
    else:
        same = before == after
    return [] if same else [f"{place}: expected {before!r}, got {after!r}"]


def _is_number(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(output: Output) -> str:
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    kinds = list(output.get("data", {}))
    return next((kind for kind in kinds if kind != "text/plain"), "text") if kinds else "an empty output"


def _missing_or_extra(name: str, before: str, after: str) -> str:
    text = (before or after).strip()
    shown = text if len(text) <= 80 else f"{text[:80]}..."  # noqa: PLR2004 - a line
    if before.strip():
        return f"missing output: expected {name} {shown!r}, got nothing"
    return f"extra output: expected no {name}, got {shown!r}"
