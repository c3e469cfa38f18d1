"""What the kit's expectations share: thresholds as fields, one way to be evaluated.

An expectation is a pydantic model: its thresholds are named and checked where they are written, in the suite
file. `Expectation` looks at the whole panel; `BlockExpectation` looks at a block of whole symbols at a
time, and all of them look at one block before the next is taken. `sta410kit.guards.great_expectations`
registers each with Great Expectations under `Expectation.type_name`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from sta410kit.guards.evidence import Evidence, at_panel_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel


Share = Annotated[float, Field(gt=0, le=1)]


class Expectation(BaseModel):
    """An expectation about symbols and sessions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overrides: dict[str, dict[str, Any]] = {}  # thresholds of single symbols, by symbol

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
    def _known_thresholds(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        unknown = sorted({key for own in value.values() for key in own} - set(cls.model_fields))
        if unknown:
            message = f"overrides name thresholds that this expectation does not have: {', '.join(unknown)}"
            raise ValueError(message)
        return value

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
        for symbol, changed in self.overrides.items():
            text += (
                f" For {symbol}: {', '.join(f'{key} {_spoken(value)}' for key, value in changed.items())}."
            )
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
        """Return the panel's rows that break the expectation; some symbols may have their own thresholds."""
        rows = self.rows(block)
        for number, name in enumerate(block.symbols if self.overrides else ()):
            if name in self.overrides:
                own = type(self)(**{**self.model_dump(exclude={"overrides"}), **self.overrides[name]})
                others = rows[block.symbol_of(rows) != number]
                rows = np.concatenate([others, own.rows(block.only(number)) + block.bounds[number]])
        return rows + block.offset

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return what breaks the expectation, from what `scan` returned of each block."""
        return at_panel_rows(panel, np.concatenate([*parts, np.empty(0, np.int64)]))


def judge_all(expectations: Sequence[Expectation], panel: Panel) -> list[Evidence | Exception | None]:
    """Return what each found, why it could not be evaluated, or None where it does not apply."""
    found: dict[int, Evidence | Exception | None] = {}
    by_block: dict[int, BlockExpectation] = {}
    parts: dict[int, list[Any]] = {}
    with np.errstate(all="ignore"):
        for number, one in enumerate(expectations):
            if not one.applies(panel):
                found[number] = None
            elif isinstance(one, BlockExpectation):
                by_block[number], parts[number] = one, []
            else:
                found[number] = _attempt(one.judge, panel)
        for block in panel.blocks() if by_block else ():
            for number, one in by_block.items():
                if number not in found:
                    part = _attempt(one.scan, block)
                    if isinstance(part, Exception):
                        found[number] = part
                    else:
                        parts[number].append(part)
        for number, one in by_block.items():
            if number not in found:
                found[number] = _attempt(one.conclude, panel, parts[number])
    return [found[number] for number in range(len(expectations))]


def _attempt(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    """One expectation that cannot be evaluated must not silence the others."""
    try:
        return call(*arguments)
    except Exception as error:  # noqa: BLE001 - reported as "could not be checked", which refuses the frame
        return error


def _spoken(value: Any) -> str:  # noqa: ANN401 - any threshold
    """Return a threshold as a sentence has it: 10, 100, 1000."""
    if value is None:
        return "none is set, so this is not checked"
    if isinstance(value, list | tuple):
        return ", ".join(map(_spoken, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
