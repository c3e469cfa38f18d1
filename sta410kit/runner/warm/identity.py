"""What one fork server can serve: the same user, packages, limits, and variables that imports read once."""

import hashlib
import json
import os
import sys
import sysconfig
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import sta410kit

# What takes long to import, with the kit; a user's own modules are never loaded. In a third of the time, the
# first group is enough for a notebook that loads and draws prices; the first caller gets no more.
FIRST = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "comm",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "stack_data",  # with pygments, what a traceback takes: half a second for each notebook that fails
    "pygments.formatters.terminal256",
    "tornado.platform.asyncio",
    "numpy",
    "pandas",
    "pandas.io.formats.html",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "PIL.JpegImagePlugin",
    "IPython.core.pylabtools",
    "loguru",
    "sta410kit.steps",
    "sta410kit.market.sources.sample",
    "sta410kit.research.plots.data",
)
OTHERS = (
    "great_expectations",
    "exchange_calendars",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "skops.io",
    "statsmodels.tsa.stattools",
    "arch.bootstrap",
    "nbformat",
    "jinja2.ext",
    "nbconvert.filters",
    "nbconvert.preprocessors.sanitize",
    "pygments.lexers.python",
    "pygments.formatters.html",
)
OUTSIDE_THE_KIT = ("cli", "runner", "lab", "service", "__main__")  # no notebook imports them
# Read by native libraries or by modules while they are imported, and never again.
_PREFIXES = (
    "ARROW_", "BLIS_", "COVERAGE_", "DYLD_", "GOTO_", "GX_", "IPYTHON", "LC_", "LD_", "MALLOC_", "MKL_",
    "MPL", "NPY_", "NUMEXPR_", "OMP_", "OPENBLAS_", "PANDAS_", "PYDANTIC_", "PYTHON", "SCIPY_", "SKLEARN_",
)  # fmt: skip
_NAMES = {
    "HOME", "LANG", "LANGUAGE", "VECLIB_MAXIMUM_THREADS",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
}  # fmt: skip
KIT = Path(sta410kit.__file__).parent
_REMEMBERED = 2.0  # seconds
# Grammars of addresses and durations: jsonschema spends seconds on them at its import, and does without them
# where they are missing. Neither notebooks nor Great Expectations need any.
SLOW_GRAMMARS = ("rfc3987_syntax", "rfc3986_validator", "isoduration")
INLINE = "module://matplotlib_inline.backend_inline"


def import_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return those of the variables that matter while modules are imported, as a kernel would have them."""
    kept = {name: text for name, text in environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
    # As ipykernel and the kit would set them, before anything heavy is imported.
    kept.setdefault("MPLBACKEND", INLINE)
    kept.setdefault("GX_ANALYTICS_ENABLED", "false")
    return kept


def server_identity(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return two short names: one for what a server takes over from who starts it, one for what is installed.

    Callers that differ in the first need servers side by side. A server that differs only in the second is
    out of date: a package, the kit's source or IPython's configuration has changed.
    """
    import resource

    kinds = [getattr(resource, name) for name in sorted(vars(resource)) if name.startswith("RLIMIT_")]
    surroundings = {
        "python": sys.executable,
        "variables": sorted(import_environment(environ).items()),
        "limits": [resource.getrlimit(kind)[1] for kind in kinds],  # hard ones can only be lowered
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
    }
    return _digest(surroundings), _installed(_shell_files(environ), time.monotonic() // _REMEMBERED)


@lru_cache(maxsize=1)
def _installed(shell: tuple[tuple[str, int], ...], now: float) -> str:
    """Return the digest of what is installed, computed once in a while: a sweep asks for each unit."""
    del now
    packages = [_stamp(folder) for folder in package_folders()]
    parts = {"python": sys.version, "shell": shell, "packages": packages, "kit": kit_files()}
    return _digest(parts)


def package_folders() -> list[Path]:
    """Return where this environment's packages lie; what a script adds to its path is its own affair."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return [Path(folder) for folder in sorted(folders)]


def kit_files() -> list[tuple[str, int, int]]:
    """Return the kit's source files, each with its time of writing and its size."""
    found = []
    for folder, names, files in os.walk(KIT):
        names[:] = sorted(set(names) - {"__pycache__"})
        for name in sorted(files):
            state = os.stat(path := os.path.join(folder, name))  # noqa: PTH116, PTH118 - hundreds, at every start
            found.append((path, state.st_mtime_ns, state.st_size))
    return found


def _shell_files(environ: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Return IPython's configuration files of this user: the shell is made before it is needed."""
    home = environ.get("IPYTHONDIR") or str(Path(environ.get("HOME") or "~").expanduser() / ".ipython")
    files = Path(home).glob("profile_default/*.[jp]*")
    return tuple(sorted((str(path), path.stat().st_mtime_ns) for path in files))


def cells_path(path: Path) -> Path:
    """Return where the server for notebook cells listens beside the one for kernels, which is `path`."""
    return path.with_name(f"{path.stem}-cells.sock")


def _digest(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _stamp(folder: Path) -> tuple[str, list[tuple[str, int]]]:
    """Return what changes in a folder of packages when one is installed, removed or upgraded."""
    try:
        entries = [
            (entry.name, entry.stat().st_mtime_ns)
            for entry in os.scandir(folder)
            if entry.name.endswith((".dist-info", ".egg-info", ".pth"))
        ]
    except OSError:
        entries = []
    return str(folder), sorted(entries)


def server_folder() -> Path:
    """Return the private folder of this user's servers; only its owner may enter it."""
    # Not tempfile, whose imports are a tenth of a kernel's start.
    base = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - private, see below
    folder = Path(base) / f"sta410-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not folder.is_dir() or folder.is_symlink():
        message = f"{folder} is not private to you; remove it"
        raise PermissionError(message)
    return folder
