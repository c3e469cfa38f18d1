"""Write .env.example and the table of docs/configuration.md from the one table of settings.

Run ``python scripts/document_settings.py`` after a change in ``sta410kit/_internal/settings/sections.py``; a
test fails until it was run.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit._internal.atomic_files import write_text
from sta410kit.config import Config, all_settings

if TYPE_CHECKING:
    from sta410kit.config import Setting

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / ".env.example"
PAGE = ROOT / "docs" / "configuration.md"

_WIDTH = 106
_HEAD = """\
# Settings of sta410kit. Copy this file and change what you need:
#
#     cp .env.example .env
#
# Every setting is listed with its default; a line left out, or set to nothing, keeps the default.
# What wins: the real environment, then secret files, then .env.<environment>, then .env, then the defaults.
# Look at what is in use with: sta410 config
# .env is never committed. See docs/configuration.md for more.
"""
_TABLE = re.compile(r"^\| variable \|.*\n(\|.*\n)+", re.MULTILINE)


def example() -> str:
    """Return the text of .env.example: each setting with its default, below what is said about it."""
    lines, shown = [_HEAD], None
    for one in all_settings():
        section = one.field.rpartition(".")[0]
        if section != shown:
            lines.append(_heading(section))
            shown = section
        use, takes, *deprecated = one.explained()
        lines += [
            _comment(text) for text in (f"{_sentence(use)} Takes {takes}.", *map(_sentence, deprecated))
        ]
        lines.append(f"{one.variable}={one.write(one.default)}\n")
    return "".join(lines)


def page(text: str) -> str:
    """Return `text`, the page about configuration, with its table written anew."""
    head = "| variable | field | default | what it is for |\n|---|---|---|---|\n"
    (old,) = (match.group() for match in _TABLE.finditer(text))
    return text.replace(old, head + "".join(map(_row, all_settings())))


def _heading(section: str) -> str:
    if not section:
        return f"\n{'# --- general ':-<{_WIDTH}}\n"
    about = (Config.model_fields[section].annotation.__doc__ or "").partition("\n")[0]
    return f"\n{f'# --- {section} ':-<{_WIDTH}}\n{_comment(about)}\n"


def _comment(text: str) -> str:
    return textwrap.indent(textwrap.fill(text, _WIDTH - 2, break_on_hyphens=False), "# ") + "\n"


def _sentence(phrase: str) -> str:
    return f"{phrase[0].upper()}{phrase[1:]}."


def _row(one: Setting) -> str:
    default = one.write(one.default)
    shown = f"`{default}`" if default else "empty"
    return f"| `{one.variable}` | `{one.field}` | {shown} | {'; '.join(one.explained())} |\n"


if __name__ == "__main__":
    write_text(EXAMPLE, example())
    write_text(PAGE, page(PAGE.read_text("utf-8")))
