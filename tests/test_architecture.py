"""The house keeps its order: dependencies point downwards, nothing heavy or loud stands where it must not."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

KIT = Path(__file__).parents[1] / "sta410kit"
SOURCES = sorted(KIT.rglob("*.py"))

# The rooms above the ground floor and the storey each stands on; all other modules are the ground floor.
STOREYS = {
    "__main__": 5,
    "cli": 4,
    "service": 4,
    "runner": 3,
    "steps": 2,
    "research": 1,
    "market": 1,
    "guards": 1,
}
GROUND = 0
HEAVY = {
    "arch", "detect_secrets", "distributed", "exchange_calendars", "great_expectations", "jupyter_client",
    "matplotlib", "nbclient", "nbformat", "numpy", "pandas",
    "papermill", "pyarrow", "scipy", "skops", "sklearn", "statsmodels",
}  # fmt: skip


def room(module: str) -> str:
    """Name the part of the kit that a dotted module name belongs to; empty for the package itself."""
    return [*module.split("."), ""][1]


def module_name(path: Path) -> str:
    parts = path.relative_to(KIT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in SOURCES}


@cache
def tree_of(module: str) -> ast.Module:
    """Return the parsed source of a module of the kit; each is read once."""
    return ast.parse(PATHS[module].read_text("utf-8"))


def imports(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """Every module that `tree` imports, wherever in the file, relative ones spelled out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                above = parts[: len(parts) - node.level + is_package]
                base = ".".join([*above, base] if base else above)
            # `from sta410kit import guards` names a room in its alias, so the longer name is what counts.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def upward(module: str, imported: str) -> bool:
    """Whether `module` reaches for a room above it, or for another room on its own storey."""
    if imported.partition(".")[0] != "sta410kit":
        return False
    here, there = room(module), room(imported)
    storey, other = STOREYS.get(here, GROUND), STOREYS.get(there, GROUND)
    return other > storey or (other == storey != GROUND and here != there)


def eager(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements that run at import: not those in functions, not those only a type checker sees."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]


@pytest.mark.parametrize(
    ("module", "imported", "refused"),
    [
        ("sta410kit.config", "sta410kit.exceptions.ConfigurationError", False),
        ("sta410kit.config", "sta410kit.market", True),
        ("sta410kit.market.files", "sta410kit.config.get_config", False),
        ("sta410kit.market.files", "sta410kit.market.sample", False),
        ("sta410kit.market.files", "sta410kit.guards.validate", True),
        ("sta410kit.research.plots", "sta410kit.runner", True),
        ("sta410kit.runner.chain", "sta410kit.guards.validate", False),
        ("sta410kit.runner.chain", "sta410kit.cli", True),
        ("sta410kit.cli", "sta410kit.runner.chain", False),
        ("sta410kit.cli", "pandas", False),
    ],
)
def test_the_rule_itself_tells_up_from_down(module, imported, refused):
    """The rule refuses what stands above or beside, and lets everything below through."""
    assert upward(module, imported) is refused


def test_relative_and_aliased_imports_are_seen():
    """An import cannot hide behind dots, an alias, or a function body."""
    code = """
from . import gate
from .. import market
def f():
    from ..runner.chain import run
    import sta410kit.cli as c
"""
    found = set(imports(ast.parse(code), "sta410kit.guards", is_package=True))
    assert found == {
        "sta410kit.guards.gate", "sta410kit.market", "sta410kit.runner.chain.run", "sta410kit.cli",
    }  # fmt: skip


def test_what_runs_at_import_is_told_from_what_waits():
    """Branches and classes run at import; functions and what only a type checker sees do not."""
    code = """
import a
if TYPE_CHECKING:
    import b
else:
    import c
try:
    import d
except ImportError:
    import e
class C:
    import f
    def g(self):
        import h
"""
    found = [node.names[0].name for node in eager(ast.parse(code)) if isinstance(node, ast.Import)]
    assert sorted(found) == ["a", "c", "d", "e", "f"]


def test_the_whole_kit_is_looked_at():
    """The walk finds the package and its rooms; an empty walk would pass everything below."""
    assert {"sta410kit", "sta410kit.exceptions", "sta410kit.guards", "sta410kit.market"} <= {
        module_name(path) for path in SOURCES
    }


def imported_by(module: str) -> list[str]:
    """Every module of the kit or of others that a module of the kit imports, wherever in the file."""
    return list(imports(tree_of(module), module, is_package=PATHS[module].stem == "__init__"))


def test_dependencies_point_downwards():
    """No module imports what stands above or beside it."""
    found = [(module, name) for module in PATHS for name in imported_by(module) if upward(module, name)]
    assert found == []


def test_only_the_guards_know_great_expectations():
    """Great Expectations stays behind one door."""
    users = {
        room(module)
        for module in PATHS
        for name in imported_by(module)
        if name.split(".")[0] == "great_expectations"
    }
    assert users == {"guards"}


@cache
def eager_imports(module: str) -> frozenset[str]:
    """Name what importing a module of the kit imports at once."""
    return frozenset(
        name
        for statement in eager(tree_of(module))
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in imports(statement, module, is_package=PATHS[module].stem == "__init__")
    )


ENTRANCES = sorted(module for module in PATHS if len(module.split(".")) <= 2 or room(module) not in STOREYS)


def test_nothing_heavy_is_imported_on_the_way_in():
    """Whatever a door, a room or the ground floor imports at once is light, however long the way to it."""
    waiting, seen, heavy = list(ENTRANCES), set(), []
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in eager_imports(module):
            if name.partition(".")[0] in HEAVY:
                heavy.append(f"{module} imports {name}")
            # What is imported may be a module or a name in one; the packages above it are imported too.
            parts = name.split(".")
            waiting += [part for n in range(1, len(parts) + 1) if (part := ".".join(parts[:n])) in PATHS]
    assert heavy == []


def test_library_code_does_not_print():
    """What the kit has to say goes through its logger, or comes back as a value; only the doors speak."""
    calls = [
        (module, node.lineno)
        for module in PATHS
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


def test_every_module_has_a_subject():
    """There is no drawer for odds and ends."""
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    assert [path for path in SOURCES if drawers & {path.stem, path.parent.name}] == []


def test_no_module_outgrows_its_reader():
    """A module past 350 lines is two modules."""
    long = {module_name(p): n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 350}
    assert long == {}
