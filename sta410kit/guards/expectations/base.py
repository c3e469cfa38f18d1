"""What the kit's expectations share: thresholds as fields, one way to be evaluated.

An expectation is a pydantic model: its thresholds are named and checked where they are written, in the suite
file. `Expectation` looks at the whole panel; `BlockExpectation` looks at a block of whole symbols at a
time, and all of them look at one block before the next is taken. `sta410kit.guards.great_expectations`
registers each with Great Expectations under `Expectation.type_name`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from sta410kit._internal.calendars import matches
from sta410kit.guards.evidence import Evidence, at_panel_rows, concatenate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel


Share = Annotated[float, Field(gt=0, le=1)]
Thresholds = dict[str, Any] | Literal["off"]


class Expectation(BaseModel):
    """An expectation about symbols and sessions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overrides: dict[str, Thresholds] = {}
    """Thresholds or ``"off"`` by patterns of symbols such as ``"^* *=X"``; a symbol's own name wins."""

    needs: ClassVar[tuple[str, ...]] = ()
    """Columns of numbers; without them the expectation is not evaluated."""
    shows: ClassVar[tuple[str, ...]] = ()
    """Columns whose values are shown as evidence; those of `needs` when empty."""
    finds_rows_to_drop: ClassVar[bool] = False
    """Whether a row it finds does not belong in the frame, such as one on a day without a session."""
    sentence: ClassVar[str]
    """What it expects, in plain language, with the names of thresholds in braces."""

    @field_validator("overrides")
    @classmethod
    def _known_thresholds(cls, value: dict[str, Thresholds]) -> dict[str, Thresholds]:
        unknown = sorted(
            {key for own in value.values() if own != "off" for key in own} - set(cls.model_fields)
        )
        if unknown:
            message = f"overrides name thresholds that this expectation does not have: {', '.join(unknown)}"
            raise ValueError(message)
        return dict(sorted(value.items(), key=lambda item: _PATTERN.search(item[0]) is None))

    def model_post_init(self, _context: object) -> None:
        """Refuse a wrong threshold of a symbol when the suite is loaded, not when the symbol turns up."""
        for own in self.overrides.values():
            self._with(own)

    def _with(self, own: Thresholds) -> Self | None:
        """Return the expectation with the thresholds of a symbol; None when it is off."""
        if own == "off":
            return None
        return type(self)(**{**self.model_dump(exclude={"overrides"}), **own})

    def by_symbol(self, symbols: Sequence[str]) -> list[tuple[Expectation, frozenset[str] | None]]:
        """Return the expectation with each set of thresholds, and the symbols it judges; None for all."""
        groups: dict[str, list[str]] = {}
        for symbol in symbols if self.overrides else ():
            own: Thresholds = {}
            for patterns, more in self.overrides.items():
                if matches(patterns, symbol):
                    own = "off" if more == "off" else {**(own if own != "off" else {}), **more}
            groups.setdefault(json.dumps(own, sort_keys=True), []).append(symbol)
        if set(groups) <= {"{}"}:
            return [(self, None)]
        rules = [(self._with(json.loads(own)), frozenset(names)) for own, names in groups.items()]
        return [(rule, names) for rule, names in rules if rule is not None]

    @classmethod
    def type_name(cls) -> str:
        """Return the name it has in a suite file: ``expect_rows_in_order``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def applies(self, panel: Panel) -> bool:
        """Whether the frame has the columns that this expectation looks at."""
        return panel.ready and all(panel.raw(name) is not None for name in self.needs)

    def judge(self, panel: Panel) -> Evidence:
        """Return what breaks the expectation."""
        raise NotImplementedError

    def words(self) -> str:
        """Return `sentence` with the thresholds filled in; symbols with their own are named after it."""
        text = self.sentence.format(
            **{name: _spoken(getattr(self, name)) for name in type(self).model_fields}
        )
        for symbols, own in self.overrides.items():
            words = (
                own if own == "off" else ", ".join(f"{key} {_spoken(value)}" for key, value in own.items())
            )
            text += f" For {symbols}: {words}."
        return text


class BlockExpectation(Expectation):
    """An expectation that looks at a block of whole symbols at a time.

    Most define `rows` only. One that has to see all blocks together collects what it needs in `scan`, and
    puts the parts together in `conclude`.
    """

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the rows of the block that break the expectation."""
        raise NotImplementedError

    def scan(self, block: Block) -> Any:  # noqa: ANN401 - anything that `conclude` takes
        """Return the panel's rows that break the expectation."""
        return self.rows(block) + block.offset

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return what breaks the expectation, from what `scan` returned of each block."""
        rows = np.unique(np.concatenate([*parts, np.empty(0, np.int64)]))
        number = panel.symbol_of(rows)
        whole = [
            panel.symbols[one]
            for one in np.unique(number)
            if self.goes_beyond(panel.block_of(one), rows[number == one] - panel.bounds[one])
        ]
        return at_panel_rows(panel, rows, whole=whole)

    def goes_beyond(self, block: Block, rows: NDArray[np.int64]) -> bool:  # noqa: ARG002 - for those that define it
        """Return whether the fault of a symbol goes beyond these rows: leaving them out is not enough."""
        return False


class _Job(NamedTuple):
    """An expectation with one set of thresholds, and the symbols whose findings count; None for all."""

    number: int
    rule: Expectation
    symbols: frozenset[str] | None

    def scan(self, block: Block) -> list[Any]:
        """Return what the rule finds in a block; a few symbols are scanned alone where that is the same."""
        rule = cast("BlockExpectation", self.rule)
        alone = (type(rule).scan, type(rule).conclude) == (BlockExpectation.scan, BlockExpectation.conclude)
        if self.symbols is None or not alone or 2 * len(self.symbols) > len(block.panel.symbols):
            return [rule.scan(block)]
        numbers = [number for number, name in enumerate(block.symbols) if name in self.symbols]
        return [rule.scan(block.panel.block_of(block.first_symbol + number)) for number in numbers]

    def of_its_symbols(self, found: Evidence, panel: Panel) -> Evidence:
        """Leave out the findings, and notes that begin with the name, of other symbols."""
        if self.symbols is None:
            return found
        others = frozenset(panel.symbols) - self.symbols
        hit = np.fromiter((name in others for name in found.symbols), bool, found.count)
        notes = tuple(note for note in found.notes if note.split(" ", 1)[0].rstrip(":,") not in others)
        return replace(found.without(hit), notes=() if found.count and hit.all() else notes)


def judge_all(expectations: Sequence[Expectation], panel: Panel) -> list[Evidence | Exception | None]:
    """Return what each found, why it could not be evaluated, or None where it does not apply."""
    applies = [one.applies(panel) for one in expectations]
    jobs = [
        _Job(number, rule, symbols)
        for number, one in enumerate(expectations)
        if applies[number]
        for rule, symbols in one.by_symbol(panel.symbols)
    ]
    by_block = [job for job in jobs if isinstance(job.rule, BlockExpectation)]
    parts: dict[int, list[Any]] = {id(job): [] for job in by_block}
    found: dict[int, Evidence | Exception] = {}
    with np.errstate(all="ignore"):
        for job in jobs:
            if not isinstance(job.rule, BlockExpectation):
                found[id(job)] = _attempt(job.rule.judge, panel)
        for block in panel.blocks() if by_block else ():
            for job in by_block:
                if id(job) not in found:
                    part = _attempt(job.scan, block)
                    if isinstance(part, Exception):
                        found[id(job)] = part
                    else:
                        parts[id(job)] += part
        for job in by_block:
            if id(job) not in found:
                found[id(job)] = _attempt(job.rule.conclude, panel, parts[id(job)])  # type: ignore[attr-defined]
    return [
        _merged([(job, found[id(job)]) for job in jobs if job.number == number], panel) if asked else None
        for number, asked in enumerate(applies)
    ]


def _merged(answers: list[tuple[_Job, Evidence | Exception]], panel: Panel) -> Evidence | Exception:
    """Return the findings of one expectation under all of its thresholds."""
    failed = [found for _, found in answers if isinstance(found, Exception)]
    if failed:
        return failed[0]
    kept = [job.of_its_symbols(found, panel) for job, found in answers if isinstance(found, Evidence)]
    return kept[0] if len(kept) == 1 else concatenate(kept)


def _attempt(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    """One expectation that cannot be evaluated must not silence the others."""
    try:
        return call(*arguments)
    except Exception as error:  # noqa: BLE001 - reported as "could not be checked", which refuses the frame
        return error


_PATTERN = re.compile(r"[*?\[ ]")


def _spoken(value: Any) -> str:  # noqa: ANN401 - any threshold
    """Return a threshold as a sentence has it: 10, 100, 1000."""
    if value is None:
        return "none is set, so this is not checked"
    if isinstance(value, list | tuple):
        return ", ".join(map(_spoken, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
