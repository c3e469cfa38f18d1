"""Notebooks that connect: what one hands over in JupyterLab, the next one reads.

Hand-overs lie in ``runs/explore/<step>/``, beside ``inputs.json``, which holds the digest of each file that
the step read. A file is out of date when what it was made from has changed since, and is refused.
"""

from __future__ import annotations

import json
import shutil
import tomllib
import zipfile
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.project import MARKER, find_project
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.acceptance import stored_digest
from sta410kit.lab.display import show
from sta410kit.steps import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping

_INPUTS = "inputs.json"
_PRICES = ("raw_prices", "prices")
_DEFAULTS = {
    "raw_prices": "the embedded prices",
    "prices": "the embedded prices",
    "features": "computed from the prices",
    "predictions": f"of {DEFAULT_MODEL}, computed from the prices",
    "model_file": f"{DEFAULT_MODEL}, fitted to the prices",
    "verdict": "none: not evaluated",
    "origin": "",
}


class _Artifact(NamedTuple):
    step: str  # that hands it over
    path: Path


class Exploration:
    """What the notebooks of the project around the current folder last handed over."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables  # of the notebook: a parameter that names a file wins
        self.folder = (find_project() or Path.cwd()) / "runs" / "explore"
        self.step = ""
        self._artifacts: dict[str, _Artifact] = {}
        self._needs: dict[str, list[str]] = {}
        self._shown: dict[str, str] = {}

    def enter(self, step: str) -> Path:
        """Return the folder that a notebook writes to, and show which data, features and model it reads."""
        self._read_pipeline()
        self.step, self._shown = step, {}
        folder = self.folder / step
        folder.mkdir(parents=True, exist_ok=True)
        needs = self._needs.get(step, ["prices"] if "prices" in self._artifacts else [])
        needs = [name for name in needs if not isinstance(self._variables.get(name), str | Path)]
        for name in needs:
            self._require_current(name)
        self._note({name: self._digest(name) for name in needs}, anew=True)
        if needs:
            self._show_banner()
        return folder

    def find(self, name: str) -> Path | None:
        """Return the file that was last handed over under a name; nothing if none was.

        Raises
        ------
        ConfigurationError
            It is out of date.
        """
        if not self.step or name not in self._artifacts or self._artifacts[name].step == self.step:
            return None
        self._require_current(name)
        digest = self._digest(name)
        if self._shown.get(name) != digest:  # another notebook has handed it over since the banner was shown
            self._note({name: digest})
            self._show_banner()
        path = self._artifacts[name].path
        return path if path.is_file() else None

    def start_over(self) -> None:
        """Forget what was handed over, so that every notebook runs on its defaults."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _read_pipeline(self) -> None:
        project = find_project()
        if project is None:
            return
        steps = tomllib.loads((project / MARKER).read_text(encoding="utf-8")).get("step", [])
        names = [Path(step["notebook"]).stem for step in steps]
        self._needs = {name: list(step.get("needs", [])) for name, step in zip(names, steps, strict=True)}
        self._artifacts = {
            artifact: _Artifact(name, self.folder / name / file)
            for name, step in zip(names, steps, strict=True)
            for artifact, file in step.get("produces", {}).items()
        }

    def _digest(self, name: str) -> str:
        """Return the digest of what was handed over; of a default that of the embedded prices, or nothing."""
        path = self._artifacts[name].path
        if not path.is_file():
            return _embedded() if name in _PRICES else ""
        return stored_digest(path) if path.suffix == ".parquet" else sha256(path.read_bytes()).hexdigest()

    def _inputs(self, step: str) -> dict[str, str]:
        path = self.folder / step / _INPUTS
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def _note(self, digests: dict[str, str], *, anew: bool = False) -> None:
        """Note what this step reads."""
        self._shown |= digests
        before = self._inputs(self.step)
        inputs = digests if anew else before | digests
        if inputs != before:
            write_text(self.folder / self.step / _INPUTS, json.dumps(inputs, indent=1))

    def _require_current(self, name: str) -> None:
        """Raise `ConfigurationError` if what a file was made from, directly or not, has changed."""
        step, path = self._artifacts[name]
        if not path.is_file():
            return
        noted = self.folder / step / _INPUTS
        reason = ""
        for source, digest in self._inputs(step).items():
            if source not in self._artifacts:
                continue
            self._require_current(source)
            if self._digest(source) != digest:
                reason = f"{self._artifacts[source].step} has handed over other {source} since"
        if not reason and noted.is_file() and path.stat().st_mtime_ns < noted.stat().st_mtime_ns:
            reason = f"{step} has read other data since, and has not run to its end"
        if reason:
            message = (
                f"{name} of {step} is out of date: {reason}. Run {step} again, or %start_over to have all "
                "notebooks on their defaults."
            )
            raise ConfigurationError(message)

    def _show_banner(self) -> None:
        """Show what this step reads, and the way back to the defaults."""
        rows = [(name, self._describe(name)) for name in self._shown if _DEFAULTS.get(name, name)]
        handed = any(self._artifacts[name].path.is_file() for name in self._shown)
        end = (
            "To go back to the defaults: %start_over, then run all cells."
            if handed
            else "These are the defaults; what an earlier notebook hands over is read instead."
        )
        text = "\n".join(f"{name}: {words}" for name, words in rows)
        items = "".join(f"<div><b>{escape(name)}</b>: {escape(words)}</div>" for name, words in rows)
        show(
            f'<div style="border-left:6px solid {"#b36b00" if handed else "#808080"};padding:4px 12px">'
            f'{items}<div style="opacity:.75">{escape(end)}</div></div>',
            f"{text}\n{end}",
        )

    def _describe(self, name: str) -> str:
        step, path = self._artifacts[name]
        if not path.is_file():
            return _DEFAULTS.get(name, f"none from {step}")
        facts = _facts(path)
        if name in _PRICES and "origin" in self._artifacts:
            origin = self._artifacts["origin"].path
            source = _facts(origin) if origin.is_file() else "the embedded prices"
            facts = f"{source}; {facts}"
        return f"{facts}; from {step}" if facts else f"from {step}"


@cache
def _embedded() -> str:
    from sta410kit.guards.digest import frame_digest
    from sta410kit.market import load_prices

    return frame_digest(load_prices())


def _facts(path: Path) -> str:
    """Return in words what is in a file that was handed over."""
    if path.suffix == ".parquet":
        return _facts_of_frame(path)
    content: dict[str, Any] = {}
    if path.suffix == ".skops":
        with zipfile.ZipFile(path) as file:
            content = json.loads(file.read("metadata.json"))
    elif path.suffix == ".json":
        content = json.loads(path.read_text(encoding="utf-8"))
    words = (content.get(key) for key in ("name", "verdict", "source"))
    return next((str(word) for word in words if word), "")


def _facts_of_frame(path: Path) -> str:
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    frame = pq.read_table(path, columns=[*({"symbol", "date", "model", "horizon"} & {*names})]).to_pandas()
    if not {"symbol", "date"} <= {*names} or frame.empty:
        return pluralize(len(frame), "row")
    if "model" in names:
        last = frame.iloc[-1]
        return f"{last['model']}, {pluralize(int(last.get('horizon', 1)), 'session')} ahead"
    symbols = [str(symbol) for symbol in frame["symbol"].dropna().unique()]
    period = f"{str(frame['date'].min())[:10]} to {str(frame['date'].max())[:10]}"
    who = ", ".join(symbols[:5]) + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")  # noqa: PLR2004
    columns = "" if "close" in names else f"{pluralize(len(names) - 2, 'column')} for "
    return f"{columns}{who}, {period}"
