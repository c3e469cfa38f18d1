"""The filter before a kernel's session: what clients are sent holds no secret."""

import base64
import sys
from types import SimpleNamespace

import pytest

from sta410kit._internal.kernel_redaction import WARNING, guard_kernel, register
from sta410kit._internal.redaction import registered

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


class Session:
    """Records the messages that are sent."""

    def __init__(self):
        self.sent = []

    def send(self, stream, msg_or_type, content=None, *_, **how):
        kind = msg_or_type if isinstance(msg_or_type, str) else msg_or_type["header"]["msg_type"]
        found = content if isinstance(msg_or_type, str) else msg_or_type["content"]
        self.sent.append((kind, found, stream, how.get("parent")))
        return "sent"


@pytest.fixture
def session(monkeypatch):
    """Stand in a kernel, whose session keeps what is sent."""
    session = Session()
    shell = SimpleNamespace(kernel=SimpleNamespace(session=session))
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return session


def test_the_first_registration_in_a_kernel_puts_the_filter_in_place(session):
    """Once, however many values are registered."""
    register(KEY)
    register("another-secret")
    assert guard_kernel() is True
    session.send("io", "display_data", {"data": {"text/plain": f"{KEY} another-secret"}}, "parent")
    assert session.sent == [("display_data", {"data": {"text/plain": "*** ***"}}, "io", "parent")]


def test_a_registration_is_shared_with_the_process_that_writes_the_notebook(session):
    """Where the session has a way to do so."""
    shared = []
    session.share_secrets = lambda: shared.append(registered())
    register(KEY)
    assert shared == [{KEY}]


@pytest.mark.parametrize("modules", [{}, {"IPython": SimpleNamespace(get_ipython=lambda: None)}])
def test_without_a_kernel_there_is_nothing_to_guard(monkeypatch, modules):
    """A script may have loaded ipykernel, or not even IPython."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert guard_kernel() is False


@pytest.mark.parametrize("form", [str, lambda key: base64.b64encode(f"key:{key}".encode()).decode()])
def test_a_secret_printed_letter_by_letter_is_found_in_other_forms_too(session, form):
    """Nothing of a value is left; of base64 at most a character that holds bits of its neighbours."""
    register(KEY)
    for character in f"begin\n{form(KEY)} end\n":
        session.send("io", "stream", {"name": "stdout", "text": character})
    session.send("io", "execute_result", {"data": {}})
    text = "".join(content["text"] for kind, content, *_ in session.sent if kind == "stream")
    assert text.startswith("begin\n")
    assert text.endswith(" end\n")
    assert "***" in text
    assert len(text) < len("begin\n***end\n") + 10


def test_what_begins_nothing_is_sent_at_once(session):
    """A line, a dot of progress, a bar."""
    register(KEY)
    for text in ("working", ".", "\r 50%|#####     |", "done\n"):
        session.send("io", "stream", {"name": "stdout", "text": text})
    assert [content["text"] for _, content, *_ in session.sent] == [
        "working",
        ".",
        "\r 50%|#####     |",
        "done\n",
    ]


def test_what_waits_is_sent_before_anything_else(session):
    """Order is kept, and nothing is lost."""
    register(KEY)
    session.send("io", "stream", {"name": "stdout", "text": f"a {KEY[:7]}"}, parent="one")
    session.send("io", "stream", {"name": "stderr", "text": "b"})
    session.send("io", "stream", {"name": "stderr", "text": "c P"})
    session.send("io", "execute_result", {"data": {}})
    assert [(kind, content.get("text")) for kind, content, *_ in session.sent] == [
        ("stream", "a "),
        ("stream", KEY[:7]),
        ("stream", "b"),
        ("stream", "c "),
        ("stream", "P"),
        ("execute_result", None),
    ]
    assert session.sent[1][3] == "one"


def test_what_waits_belongs_to_the_cell_that_printed_it(session):
    """As ipykernel sends streams, with the header of the request inside; a widget captures output by it."""
    register(KEY)
    message = {"header": {"msg_type": "stream"}, "parent_header": {"msg_id": "one"}}
    session.send("io", {**message, "content": {"name": "stdout", "text": f"a {KEY[:7]}"}}, ident=b"x")
    session.send("io", "clear_output", {"wait": False})
    assert [(kind, content.get("text")) for kind, content, *_ in session.sent] == [
        ("stream", "a "),
        ("stream", KEY[:7]),
        ("clear_output", None),
    ]
    assert session.sent[1][3] == {"msg_id": "one"}


def test_the_cell_shows_once_that_something_was_redacted(session):
    """A warning at its end, in its own output; the next cell is not blamed."""
    register(KEY)
    session.send("io", "stream", {"name": "stdout", "text": KEY})
    whole = {"header": {"msg_type": "error"}, "content": {"evalue": KEY, "traceback": [f"bad {KEY}"]}}
    assert session.send("io", whole, ident=b"x") == "sent"
    for _ in range(2):
        session.send("io", "status", {"execution_state": "busy"})
        session.send("io", "status", {"execution_state": "idle"}, "the cell")
    kinds = [kind for kind, *_ in session.sent]
    assert kinds == ["stream", "error", "status", "stream", "status", "status", "status"]
    assert session.sent[1][1] == {"evalue": "***", "traceback": ["bad ***"]}
    assert session.sent[3] == ("stream", {"name": "stderr", "text": f"{WARNING}\n"}, "io", "the cell")


def test_what_is_not_shown_passes_as_it_is(session):
    """A completion goes to who types; the echo of a cell's source is redacted without a warning."""
    register(KEY)
    session.send("shell", "complete_reply", {"matches": [KEY]}, "parent")
    session.send("io", "execute_input", {"code": KEY})
    session.send("io", "status", {"execution_state": "idle"})
    assert [content for _, content, *_ in session.sent] == [
        {"matches": [KEY]},
        {"code": "***"},
        {"execution_state": "idle"},
    ]


@pytest.mark.usefixtures("session")
def test_a_secret_typed_into_a_cell_does_not_reach_the_history():
    """IPython keeps sources in a file of its own, for years."""
    stored = []
    shell = sys.modules["IPython"].get_ipython()
    shell.history_manager = SimpleNamespace(store_inputs=lambda *given: stored.append(given))
    register(KEY)
    shell.history_manager.store_inputs(3, f"k = '{KEY}'", f"k = '{KEY}'")
    shell.history_manager.store_inputs(4, "1 + 1")
    assert stored == [(3, "k = '***'", "k = '***'"), (4, "1 + 1", None)]
