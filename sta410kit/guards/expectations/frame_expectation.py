"""What the kit's own expectations have in common: a panel to look at, evidence to return, words to show.

An expectation names its thresholds as fields, so that they stand in the suite file, and finds rows in
`scan`, a block of whole symbols at a time. What has to see several blocks together brings a `Walker` of its
own. In bare Great Expectations each expectation walks over the panel by itself (the panel is a metric, made
once a validation); the gate lets all of them look at a block before it takes the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render.components import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

from sta410kit._internal.text import pluralize
from sta410kit.guards.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block

EXAMPLES = 20
_NOTES = 5


@dataclass(frozen=True)
class Findings:
    """What breaks an expectation.

    Attributes
    ----------
    symbols : ndarray of object
        The symbol of each finding; empty text when it is about the table.
    days : ndarray of int32
        Its session, in days since 1970-01-01.
    rows : ndarray of int64
        Where it stands in the frame; -1 for what is not there, such as a missing session.
    notes : tuple of str
        What has no row of its own, or is said better in words.
    """

    symbols: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))
    days: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def any(self) -> bool:
        """Whether anything was found."""
        return bool(len(self.rows) or self.notes)

    def only(self, keep: NDArray[np.bool_]) -> Findings:
        """Return the findings of `keep`; the notes go when nothing stays."""
        notes = self.notes if keep.any() else ()
        return Findings(self.symbols[keep], self.days[keep], self.rows[keep], notes)


def of_rows(panel: Panel, rows: NDArray[np.int64], notes: Iterable[str] = ()) -> Findings:
    """Return findings at rows of the panel."""
    rows = np.unique(rows)
    names = np.array(panel.symbols, object)
    return Findings(
        names[panel.symbol_of(rows)] if len(rows) else np.empty(0, object),
        panel.days[rows] if len(rows) else np.empty(0, np.int32),
        panel.position(rows),
        tuple(notes),
    )


def of_frame(panel: Panel, rows: NDArray[np.int64], notes: Iterable[str] = ()) -> Findings:
    """Return findings at rows of the frame itself, in its own order."""
    days = panel.frame["date"].iloc[rows].to_numpy().astype("datetime64[D]").astype(np.int32)
    symbols = panel.frame["symbol"].iloc[rows].astype(str).to_numpy(object)
    return Findings(symbols, days, rows, tuple(notes))


class Walker:
    """Looks at one block after another for one expectation, then says what it found."""

    def __init__(self, expectation: FrameExpectation, panel: Panel) -> None:
        self.expectation = expectation
        self.panel = panel
        self.rows: list[NDArray[np.int64]] = []

    def visit(self, block: Block) -> None:
        """Look at a block; symbols with thresholds of their own are looked at again with those."""
        rows = self.expectation.scan(block)
        own = self.expectation.overrides
        if own:
            names = self.panel.symbols[block.first_symbol : block.first_symbol + len(block.bounds) - 1]
            strange = np.array([name in own for name in names])
            rows = rows[~strange[block.symbol_of(rows)]]
        if len(rows):
            self.rows.append(rows + block.offset)

    def findings(self) -> Findings:
        """Return everything found in all blocks."""
        for name, thresholds in self.expectation.overrides.items():
            block = self.panel.block_of(name)
            if block is not None:
                changed = self.expectation.copy(update=thresholds)
                self.rows.append(changed.scan(block) + block.offset)
        return of_rows(self.panel, np.concatenate([*self.rows, np.empty(0, np.int64)]))


class PanelWalker(Walker):
    """For what the panel as a whole tells, without a look at its blocks."""

    def visit(self, block: Block) -> None:
        """Nothing to see in a single block."""


class FrameExpectation(BatchExpectation):
    """An expectation about symbols and sessions, evaluated in numpy on a `Panel`."""

    overrides: dict[str, dict[str, Any]] = pydantic.Field(
        default_factory=dict, description="Thresholds of single symbols, by symbol."
    )

    needs: ClassVar[tuple[str, ...]] = ()
    """Columns that must be there and hold numbers; without them the expectation is not asked."""
    shows: ClassVar[tuple[str, ...]] = ()
    """Columns whose values are shown as evidence; what it needs when empty."""
    sentence: ClassVar[str] = ""
    """What it expects, in plain language; thresholds in braces."""
    walker: ClassVar[type[Walker]] = Walker

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.sta410_panel",)

    @pydantic.validator("overrides")
    def _known_thresholds(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:  # noqa: N805 - pydantic
        unknown = sorted({key for own in value.values() for key in own} - set(cls.__fields__))
        if unknown:
            message = f"overrides name thresholds that this expectation does not have: {', '.join(unknown)}"
            raise ValueError(message)
        return value

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the rows of the block that break the expectation."""
        raise NotImplementedError

    def asked(self, panel: Panel) -> bool:
        """Whether the frame has what this expectation looks at."""
        return panel.ready and all(panel.raw(name) is not None for name in self.needs)

    def outcome(self, panel: Panel, findings: Findings) -> dict[str, Any]:
        """Return success and result in the form of Great Expectations."""
        shown = self.shows or self.needs
        return {"success": not findings.any, "result": _result(panel, findings, shown)}

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - Great Expectations' signature
        execution_engine: Any = None,  # noqa: ANN401, ARG002
    ) -> dict[str, Any]:
        panel: Panel = metrics["table.sta410_panel"]
        found = find_all([self], panel)[0]
        if isinstance(found, Exception):
            raise found
        return self.outcome(panel, found)

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,  # noqa: ANN401 - Great Expectations' signature
        result: Any = None,  # noqa: ANN401, ARG003
        runtime_configuration: Any = None,  # noqa: ANN401, ARG003
    ) -> list[RenderedStringTemplateContent]:
        """Return the sentence of the expectation with the thresholds filled in."""
        defaults = {name: field.default for name, field in cls.__fields__.items()}
        given = {**defaults, **(configuration.kwargs if configuration else {})}
        return [
            RenderedStringTemplateContent(
                content_block_type="string_template",
                string_template={"template": in_words(cls.sentence, given).replace("$", "$$"), "params": {}},
            )
        ]


def in_words(sentence: str, thresholds: dict[str, Any]) -> str:
    """Fill thresholds into a sentence; symbols with thresholds of their own are named after it."""
    own = thresholds.get("overrides") or {}
    words = sentence.format(**{name: _spoken(value) for name, value in thresholds.items()})
    for symbol, changed in own.items():
        words += f" For {symbol}: {', '.join(f'{key} {_spoken(value)}' for key, value in changed.items())}."
    return words


def _spoken(value: Any) -> str:  # noqa: ANN401 - any threshold
    """Return a threshold as a sentence says it: 10, 100, 1000; what is not set is not asked."""
    if value is None:
        return "none is set, so this is not asked"
    if isinstance(value, list | tuple):
        return ", ".join(map(_spoken, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def find_all(expectations: list[FrameExpectation], panel: Panel) -> list[Findings | Exception]:
    """Let every expectation look at each block in turn, and return what each found, or why it could not."""
    walkers = {n: one.walker(one, panel) for n, one in enumerate(expectations) if one.asked(panel)}
    failed: dict[int, Exception] = {}
    found: dict[int, Findings | None] = {}
    with np.errstate(all="ignore"):
        for block in panel.blocks() if walkers else ():
            for number, walker in walkers.items():
                if number not in failed:
                    _try(walker.visit, failed, number, block)
        for number, walker in walkers.items():
            if number not in failed:
                found[number] = _try(walker.findings, failed, number)
    answers: list[Findings | Exception] = []
    for number in range(len(expectations)):
        answer = found.get(number)
        answers.append(failed[number] if number in failed else Findings() if answer is None else answer)
    return answers


def _try(call: Any, failed: dict[int, Exception], number: int, *arguments: object) -> Findings | None:  # noqa: ANN401
    """One expectation that cannot be evaluated must not silence the others."""
    try:
        return call(*arguments)  # type: ignore[no-any-return]
    except Exception as error:  # noqa: BLE001 - reported as "could not be checked", which refuses the frame
        failed[number] = error
        return None


def _result(panel: Panel, findings: Findings, shown: tuple[str, ...]) -> dict[str, Any]:
    count, total = len(findings), len(panel.frame)
    result: dict[str, Any] = {
        "element_count": total,
        "unexpected_count": count,
        "unexpected_percent": 100.0 * min(count / total, 1.0) if total else 0.0,
    }
    if findings.any:
        result["columns"] = list(shown)
        result["partial_unexpected_index_list"] = list(_evidence(panel, findings, shown))
        result["notes"] = [*findings.notes[:_NOTES], *_stretches(findings)][: 2 * _NOTES]
        result["observed_value"] = "; ".join(result["notes"])
    else:
        result["observed_value"] = "nothing found"
    return result


def _evidence(panel: Panel, findings: Findings, shown: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield symbol, session, and the values judged, of the first few findings."""
    for symbol, day, row in list(zip(findings.symbols, findings.days, findings.rows, strict=True))[:EXAMPLES]:
        entry: dict[str, Any] = {"symbol": str(symbol), "date": str(np.datetime64(int(day), "D"))}
        if row >= 0:
            entry |= {name: panel.frame[name].iloc[row] for name in shown if name in panel.frame.columns}
            entry = {key: getattr(value, "item", lambda value=value: value)() for key, value in entry.items()}
        yield entry


def _stretches(findings: Findings) -> Iterator[str]:
    """Say where the findings lie, one stretch a symbol: ``AAPL: 5 rows, 2001-03-02 to 2001-03-08``."""
    for symbol in dict.fromkeys(findings.symbols):
        days = findings.days[findings.symbols == symbol]
        first, last = (str(np.datetime64(int(day), "D")) for day in (days.min(), days.max()))
        when = first if first == last else f"{first} to {last}"
        yield f"{symbol}: {pluralize(len(days), 'session')}, {when}"


class PanelMetric(TableMetricProvider):
    """The panel of a batch, made once and shared by every expectation of the kit."""

    metric_name = "table.sta410_panel"

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805 - Great Expectations calls it on the class
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: object,
    ) -> Panel:
        frame, _compute, _accessor = execution_engine.get_compute_domain(
            domain_kwargs=metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        return Panel(frame)
