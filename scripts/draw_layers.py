"""Draw docs/images/layers.svg, the packages of the kit and what they import, from the import graph.

Run ``python scripts/draw_layers.py`` after a package begins or ceases to import another; a test fails until
it was run. An arrow that follows from two others is left out, and so is what everything imports.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit._internal.atomic_files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "layers.svg"
_EVERYWHERE = {"__main__", "_internal", "exceptions", "exit_codes"}
_ABOUT = {
    "cli": "commands, exit codes", "service": "pages, API, scheduler", "lab": "JupyterLab extension",
    "runner": "executes notebooks, run store", "steps": "hand-over between notebooks",
    "guards": "gates, leak probe, data docs", "market": "sources, price store, calendars",
    "research": "features, models, statistics", "holdout": "the sealed years", "validation": "DataValidator",
    "secrets": "credentials, redaction", "logging": "loguru", "config": "settings",
}  # fmt: skip
_WIDE, _HIGH, _GAP, _DOWN, _WIDTH = 210, 52, 24, 96, 960
_STYLE = """
  text { font: 15px system-ui, sans-serif; text-anchor: middle; fill: #1f2933; }
  .about { font-size: 12px; fill: #52606d; }
  rect { fill: #f5f7fa; stroke: #7b8794; }
  path { fill: none; stroke: #7b8794; stroke-width: 1.4; marker-end: url(#tip); }
  marker path { fill: #7b8794; stroke: none; marker-end: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb; } .about { fill: #9aa5b1; } rect { fill: #1f2933; stroke: #616e7c; }
  }
"""


def drawing() -> str:
    """Return the picture."""
    imports = packages()
    rows = [kept for row in layers() if (kept := [name for name in row if name in imports])]
    places = {
        name: (_WIDTH / 2 + (column - (len(row) - 1) / 2) * (_WIDE + _GAP), number * _DOWN + _HIGH / 2 + 2)
        for number, row in enumerate(rows)
        for column, name in enumerate(row)
    }
    parts = [arrow(places[one], places[two]) for one in imports for two in direct(imports, one)]
    for name, (x, y) in places.items():
        parts.append(
            f'<rect x="{x - _WIDE / 2:g}" y="{y - _HIGH / 2:g}" width="{_WIDE}" height="{_HIGH}" rx="6"/>'
        )
        parts.append(f'<text x="{x:g}" y="{y - 3:g}">{name}</text>')
        parts.append(f'<text class="about" x="{x:g}" y="{y + 16:g}">{_ABOUT[name]}</text>')
    height = (len(rows) - 1) * _DOWN + _HIGH + 4
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-label="The packages of sta410kit; arrows point at what a package imports">'
    )
    tip = f'<defs>{tip}<path d="M0 0L8 4L0 8z"/></marker></defs>'
    return "\n".join([head, f"<style>{_STYLE}</style>", tip, *parts, "</svg>\n"])


def arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a curve from the bottom of a box to the top of another."""
    (x, y), (to_x, to_y) = (start[0], start[1] + _HIGH / 2), (end[0], end[1] - _HIGH / 2)
    bend = (to_y - y) / 2
    return f'<path d="M{x:g} {y:g}C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"/>'


def layers() -> Iterator[list[str]]:
    """Yield the layers that import-linter enforces, from the top."""
    (contract,) = (
        one
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
            "contracts"
        ]
        if one["type"] == "layers"
    )
    for line in contract["layers"]:
        yield [name.strip(" ()") for name in line.split("|")]


def packages() -> dict[str, set[str]]:
    """Return what each package imports of the others, in the order of the layers."""
    import grimp

    graph = grimp.build_graph("sta410kit", cache_dir=None, exclude_type_checking_imports=True)
    top = [name for row in layers() for name in row if f"sta410kit.{name}" in graph.modules]
    found: dict[str, set[str]] = {name: set() for name in top if name not in _EVERYWHERE}
    for module in graph.modules:
        name = ".".join(module.split(".")[1:2])
        targets = graph.find_modules_directly_imported_by(module) if name in found else ()
        found.get(name, set()).update(target.split(".")[1] for target in targets if target.count("."))
    return {name: {one for one in targets if one in found and one != name} for name, targets in found.items()}


def direct(imports: dict[str, set[str]], name: str) -> list[str]:
    """Return what a package imports that nothing else which it imports leads to."""

    def reached(start: str) -> set[str]:
        return {one for target in imports[start] for one in (target, *reached(target))}

    indirect = {one for target in imports[name] for one in reached(target)}
    return [one for one in imports if one in imports[name] - indirect]


if __name__ == "__main__":
    write_text(PICTURE, drawing())
