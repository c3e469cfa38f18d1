"""Redact what a Jupyter kernel sends to its clients, inside the kernel.

A value that a notebook was handed is known in the kernel's process only. The first registration there puts a
filter before the one place through which outputs, streams, tracebacks and widgets leave every kind of kernel:
the session's ``send``.
"""

import sys
import threading
from typing import Any

from sta410kit._internal import redaction
from sta410kit._internal.redaction import redact, redact_values, unfinished_secret

WARNING = "sta410kit: a secret was redacted from the output of this cell"
# What clients show or save. Completions and the like are shown to the one who types and saved nowhere.
_SHOWN = {
    "stream", "display_data", "update_display_data", "execute_result", "error", "execute_reply",
    "comm_open", "comm_msg", "execute_input", "status", "clear_output",
}  # fmt: skip


def register(value: str) -> bool:
    """Redact `value` from now on, in a kernel also in what it sends to its clients."""
    known = redaction.register(value)
    if "ipykernel" in sys.modules:
        guard_kernel()
    return known


def guard_kernel() -> bool:
    """Redact what this process's kernel sends from now on; return whether there is a kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    session = getattr(getattr(shell, "kernel", None), "session", None)
    if session is None:
        return False
    if not isinstance(session.send, _RedactingSend):
        session.send = _RedactingSend(session.send)
        _guard_history(getattr(shell, "history_manager", None))
    share = getattr(session, "share_secrets", None)  # with the process that writes the notebook: runner.warm
    if share is not None:
        share()
    return True


def _guard_history(manager: Any) -> None:  # noqa: ANN401 - IPython's HistoryManager
    """Redact the sources of cells in IPython's history, a file outside the project."""
    store = getattr(manager, "store_inputs", None)
    if store is None:
        return

    def store_redacted(line: int, source: str, source_raw: str | None = None) -> None:
        store(line, redact(source), None if source_raw is None else redact(source_raw))

    manager.store_inputs = store_redacted


class _RedactingSend:
    """Stands before a session's ``send``.

    The end of a stream's text that may begin a secret waits for the rest, so that a secret printed in pieces
    is found; it is sent before any other message.
    """

    def __init__(self, send: Any) -> None:  # noqa: ANN401 - jupyter_client's
        self._send = send
        self._lock = threading.RLock()
        self._waiting: dict[str, tuple[Any, str, dict[str, Any]]] = {}
        self._found = False

    def __call__(self, stream: Any, msg_or_type: Any, content: Any = None, *others: Any, **how: Any) -> Any:  # noqa: ANN401
        whole = isinstance(msg_or_type, dict)
        kind = msg_or_type["header"]["msg_type"] if whole else msg_or_type
        if kind not in _SHOWN:
            return self._send(stream, msg_or_type, content, *others, **how)
        # By keyword, for the messages that are sent from here.
        how |= dict(zip(("parent", "ident", "buffers", "track", "header", "metadata"), others, strict=False))
        with self._lock:
            content = msg_or_type["content"] if whole else content
            if whole:  # what waits is sent for the same cell: Output widgets go by it
                how.setdefault("parent", msg_or_type.get("parent_header"))
            self._send_waiting(but=content["name"] if kind == "stream" else None)
            if kind == "stream":
                content = self._complete(stream, content, how)
                if content is None:
                    return None
            clean = redact_values(content)
            self._found |= clean is not content and kind not in {"execute_input", "status"}
            if kind == "status" and content["execution_state"] == "idle" and self._found:
                self._found = False
                warning = {"name": "stderr", "text": f"{WARNING}\n"}
                self._send(stream, "stream", warning, parent=how.get("parent"), ident=how.get("ident"))
            if whole:
                return self._send(stream, {**msg_or_type, "content": clean}, None, **how)
            return self._send(stream, msg_or_type, clean, **how)

    def _complete(self, stream: Any, content: dict[str, Any], how: dict[str, Any]) -> dict[str, Any] | None:  # noqa: ANN401
        """Return what can be sent of a stream, with what waited before it; the rest waits."""
        name = content["name"]
        text = self._waiting.pop(name, (None, "", {}))[1] + content["text"]
        end = len(text) - unfinished_secret(text)
        if end < len(text):
            self._waiting[name] = (stream, text[end:], how)
        return {**content, "text": text[:end]} if end else None

    def _send_waiting(self, but: str | None) -> None:
        for name in [name for name in self._waiting if name != but]:
            stream, text, how = self._waiting.pop(name)
            self._send(stream, "stream", {"name": name, "text": redact(text)}, **how)
