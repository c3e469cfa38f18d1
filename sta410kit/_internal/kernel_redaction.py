"""What a Jupyter kernel sends to its clients, scrubbed inside the kernel.

A value that a notebook was handed lives in the kernel's process and nowhere else. So its first registration
there puts a filter before the one place through which outputs, streams, tracebacks and widgets leave, in
every kind of kernel: the session's ``send``.
"""

import sys
import threading
from typing import Any

from sta410kit._internal.redaction import beginning_of_a_secret, redact, redact_after
from sta410kit._internal.scrub import scrub

WARNING = "sta410kit: a secret was scrubbed from the output of this cell"
# What clients show or save. Completions and the like are shown to who types and saved nowhere.
_SHOWN = {
    "stream", "display_data", "update_display_data", "execute_result", "error", "execute_reply",
    "comm_open", "comm_msg", "execute_input", "status",
}  # fmt: skip
# Characters of a stream: how many may wait for what follows, and how many that were sent are remembered.
_LONGEST, _REMEMBERED = 8_000, 500


def guard_kernel() -> bool:
    """Scrub what this process's kernel sends from now on; tell whether there is a kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    session = getattr(getattr(shell, "kernel", None), "session", None)
    if session is None:
        return False
    if not isinstance(session.send, _Outlet):
        session.send = _Outlet(session.send)
        _guard_history(getattr(shell, "history_manager", None))
    share = getattr(session, "share_secrets", None)  # where somebody outside scrubs too: runner.warm.cells
    if share is not None:
        share()
    return True


def _guard_history(manager: Any) -> None:  # noqa: ANN401 - IPython's HistoryManager
    """Keep out of IPython's history, a file of its own, what a cell's source holds of a secret."""
    store = getattr(manager, "store_inputs", None)
    if store is None:
        return

    def store_clean(line: int, source: str, source_raw: str | None = None) -> None:
        store(line, redact(source), None if source_raw is None else redact(source_raw))

    manager.store_inputs = store_clean


class _Outlet:
    """Stands before a session's ``send``.

    The end of a stream's text that may be the beginning of a secret waits for what follows, so that a secret
    printed in pieces is found; it is sent before anything else is. What was sent last is remembered, for a
    secret in another notation shows itself only after some letters.
    """

    def __init__(self, send: Any) -> None:  # noqa: ANN401 - jupyter_client's
        self._send = send
        self._lock = threading.RLock()
        self._waiting: dict[str, tuple[Any, str, dict[str, Any]]] = {}
        self._sent: dict[str, str] = {}
        self._found = False

    def __call__(self, stream: Any, msg_or_type: Any, content: Any = None, *others: Any, **how: Any) -> Any:  # noqa: ANN401
        whole = isinstance(msg_or_type, dict)
        kind = msg_or_type["header"]["msg_type"] if whole else msg_or_type
        if kind not in _SHOWN:
            return self._send(stream, msg_or_type, content, *others, **how)
        # By keyword whatever was given by position, for messages of this outlet's own.
        how |= dict(zip(("parent", "ident", "buffers", "track", "header", "metadata"), others, strict=False))
        with self._lock:
            content = msg_or_type["content"] if whole else content
            if kind == "stream":
                content = self._joined(stream, content, how)
                if content is None:
                    return None
            else:
                self._let_go(None)
                self._sent.clear()
            clean = scrub(content)
            self._found |= clean is not content and kind not in {"execute_input", "status"}
            if kind == "status" and content["execution_state"] == "idle" and self._found:
                self._found = False
                told = {"name": "stderr", "text": f"{WARNING}\n"}
                self._send(stream, "stream", told, parent=how.get("parent"), ident=how.get("ident"))
            if whole:
                return self._send(stream, {**msg_or_type, "content": clean}, None, **how)
            return self._send(stream, msg_or_type, clean, **how)

    def _joined(self, stream: Any, content: dict[str, Any], how: dict[str, Any]) -> dict[str, Any] | None:  # noqa: ANN401
        """Return what can be sent of a stream with what waited before it; the rest waits."""
        name = content["name"]
        self._let_go(name)
        text = self._waiting.pop(name, (None, "", {}))[1] + content["text"]
        size = beginning_of_a_secret(self._sent.get(name, "") + text)
        size = min(size, len(text)) if size <= _LONGEST else 0
        if size:
            self._waiting[name] = (stream, text[-size:], how)
        sent = self._clean(name, text[: len(text) - size])
        return {**content, "text": sent} if sent else None

    def _clean(self, name: str, text: str) -> str:
        """Return what can be sent of a stream's next text, and remember its end."""
        before = self._sent.get(name, "")
        clean = redact_after(before, text)
        self._found |= clean != text
        self._sent[name] = (before + clean)[-_REMEMBERED:]
        return clean

    def _let_go(self, but: str | None) -> None:
        """Send what waits in the streams, but for one of them."""
        for name in [name for name in self._waiting if name != but]:
            stream, text, how = self._waiting.pop(name)
            content = {"name": name, "text": self._clean(name, text)}
            self._send(stream, "stream", content, **how)
