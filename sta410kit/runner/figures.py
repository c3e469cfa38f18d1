"""Figures that cells draw: noticed in the kernel, so that one which is never shown fails the notebook.

The kernel side (`watch_figures`) counts figures of pyplot that hold something and are not rendered, neither
shown nor saved, by the end of their cell, and publishes their numbers. `unshown_figures` reads them back.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIMETYPE = "application/vnd.sta410kit.figures+json"
_HOOK = f"{__name__}:note_figure"


class _Watched:
    """One figure, and whether it was ever rendered."""

    def __init__(self, number: int, figure: Figure) -> None:
        self.number, self.figure = number, figure
        self.rendered = self.reported = False
        figure.canvas.mpl_connect("draw_event", self._render)

    def _render(self, _: object) -> None:
        self.rendered = True

    @property
    def holds_something(self) -> bool:
        return any(axes.has_data() or axes.texts for axes in self.figure.axes)


@dataclass
class _Figures:
    """The figures of one kernel that are not rendered yet, and how many there were."""

    waiting: list[_Watched] = field(default_factory=list)
    count: int = 0


def note_figure(figure: Figure) -> None:
    """Watch a new figure; pyplot calls this by its setting ``figure.hooks``."""
    from IPython import get_ipython

    # Kept by the shell: what pyplot imports here is not always the module that `watch_figures` was called in.
    figures = get_ipython().meta["sta410kit figures"]
    figures.count += 1
    figures.waiting.append(_Watched(figures.count, figure))


def watch_figures(shell: Any) -> None:  # noqa: ANN401 - IPython's shell is untyped
    """Notice, from now on, the figures that the cells of this kernel draw and do not show."""
    shell.meta["sta410kit figures"] = figures = _Figures()
    _hook()
    shell.events.register("pre_run_cell", lambda _: _hook())
    shell.events.register("post_run_cell", lambda _: _report(figures, shell))  # after figures are shown


def _hook() -> None:
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and _HOOK not in matplotlib.rcParams["figure.hooks"]:
        matplotlib.rcParams["figure.hooks"] = [*matplotlib.rcParams["figure.hooks"], _HOOK]


def _report(figures: _Figures, shell: Any) -> None:  # noqa: ANN401
    """Publish which figures are drawn and not shown, and which of earlier cells are shown by now."""
    shown = [one.number for one in figures.waiting if one.rendered and one.reported]
    waiting = [one for one in figures.waiting if not one.rendered]
    unshown = [one.number for one in waiting if one.holds_something and not one.reported]
    for one in waiting:
        one.reported = one.reported or one.holds_something
    figures.waiting = waiting
    if unshown or shown:
        text = f"figures drawn and not shown: {len(unshown)}" if unshown else "figures shown by now"
        data = {MIMETYPE: {"unshown": unshown, "shown": shown}, "text/plain": text}
        shell.display_pub.publish(data)


def unshown_figures(notebook: Mapping[str, Any]) -> list[int]:
    """Return the positions of the cells of an executed notebook that drew a figure which was never shown."""
    reports = [
        (position, output["data"][MIMETYPE])
        for position, cell in enumerate(notebook["cells"])
        for output in cell.get("outputs", [])
        if MIMETYPE in output.get("data", {})
    ]
    shown = {number for _, report in reports for number in report["shown"]}
    return list(dict.fromkeys(place for place, report in reports if set(report["unshown"]) - shown))
