"""The common style of all figures: sizes, colours, axes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import DataValidationError
from sta410kit.research.frames import require_columns
from sta410kit.research.target_names import WORDS, target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY, GREY = "#D55E00", "#CC79A7", "#56B4E9", "#737373"
SIENNA = "#A0522D"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY, SIENNA)
# A figure does not know whether its page is light or dark: its ground is transparent, and its text has about
# the same contrast, 4.3 to 1, against white and against JupyterLab's dark ground.
INK = "#797979"
STYLE: dict[str, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titley": 1.0,  # the default place, set so that matplotlib need not search for one
    "axes.labelsize": 11,
    "font.size": 11,
    "grid.alpha": 0.4,
    "grid.color": INK,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "text.parse_math": False,  # a dollar sign in a symbol is a dollar sign
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}
_FEWEST_DAYS = 8.0
MOST_LINES = len(PALETTE)  # lines distinguishable in one chart


@contextmanager
def drawing(
    rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (9, 4), shared: str = ""
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure and its axes in the kit's style, and close it afterwards.

    `shared` names the axis that all charts have in common: "x", "y" or none.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from cycler import cycler

    style = STYLE | {"axes.prop_cycle": cycler(color=PALETTE)}
    with mpl.rc_context(style):  # type: ignore[arg-type,unused-ignore]
        figure, axes = plt.subplots(
            rows, columns, figsize=size, dpi=100, layout="constrained", squeeze=False,
            sharex=shared == "x", sharey=shared == "y",
        )  # fmt: skip
        try:
            yield figure, list(axes.flat)
            _settle(figure)
        finally:
            plt.close(figure)


def _settle(figure: Figure) -> None:
    """Fix the place of empty labels: searching one for them takes half of the drawing time."""
    for axes in figure.axes:
        for axis, place in ((axes.xaxis, (0.5, -0.15)), (axes.yaxis, (-0.1, 0.5))):
            if not axis.label.get_text():
                axis.set_label_coords(*place)


def first_symbols(symbols: pd.Series[str], most: int = MOST_LINES) -> list[str]:
    """Return the first `most` symbols in alphabetical order."""
    return sorted(str(symbol) for symbol in symbols.dropna().unique())[:most]


def plain_log_labels(axes: Axes) -> None:
    """Label a log axis with plain numbers: 0.5, 1, 2 instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def date_axis(axes: Axes) -> None:
    """Label a time axis concisely; one shorter than eight days is widened, so that no hours are shown."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    low, high = axes.get_xlim()
    if high - low < _FEWEST_DAYS:
        axes.set_xlim((low + high - _FEWEST_DAYS) / 2, (low + high + _FEWEST_DAYS) / 2)
    # The default minimum of five ticks does not fit four years.
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def hide_unused(every: list[Axes], used: int) -> None:
    """Hide the axes of a grid after the first `used`."""
    for axes in every[used:]:
        axes.set_visible(False)


@contextmanager
def grid_of_symbols(count: int, title: str) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure with one chart of closes per symbol, three in a row."""
    columns = min(count, 3)
    rows = -(-count // columns)
    with drawing(rows, columns, size=(max(7.0, 3.5 * columns), 0.9 + 2.6 * rows)) as (figure, every):
        yield figure, every
        hide_unused(every, count)
        for axes in every[:count:columns]:
            axes.set_ylabel("close, quote currency")
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)


def only_words(words: str) -> Figure:
    """Return a figure that is only a sentence, for what would be drawn without meaning."""
    with drawing(size=(9, 0.6)) as (figure, (axes,)):
        axes.set_axis_off()
        axes.text(0.0, 0.5, words, va="center", transform=axes.transAxes)
    return figure


def require_rows(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Raise `DataValidationError` if a frame has no rows, or lacks a column that is drawn."""
    if frame.empty:
        message = f"There are no {what} to draw."
        raise DataValidationError(message)
    require_columns(frame, columns, what, DataValidationError)


def horizon_of(frame: pd.DataFrame) -> str:
    """Return the horizon of a frame in words, for an axis label."""
    horizon = int(frame["horizon"].iloc[0])
    return "one session" if horizon == 1 else f"{horizon} sessions"


def outcome_of(predictions: pd.DataFrame, between: str = " ") -> str:
    """Return the outcome of predictions and its horizon in words, for an axis in percent."""
    return f"{WORDS[target_of(predictions)].outcome} over{between}{horizon_of(predictions)}, %"
