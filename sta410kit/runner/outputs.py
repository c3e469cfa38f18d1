"""Turn the messages of a kernel into the outputs of a cell, as nbclient does."""

from datetime import UTC, datetime
from typing import Any

Node = dict[str, Any]
_KEPT = {
    "execute_result": ("data", "metadata", "execution_count"),
    "display_data": ("data", "metadata"),
    "stream": ("name", "text"),
    "error": ("ename", "evalue", "traceback"),
}


class Outputs:
    """Collects the outputs of one notebook's cells, one cell after the other."""

    def __init__(self) -> None:
        self._cell: Node = {}
        self._cleared = False  # the next output replaces what is there
        self._displays: dict[str, list[Node]] = {}  # by display id, across cells

    def begin(self, cell: Node) -> None:
        """Collect for this cell from now on."""
        cell["outputs"], cell["metadata"]["execution"] = [], {"iopub.status.busy": timestamp()}
        self._cell, self._cleared = cell, False

    def end(self) -> None:
        """Note that the cell has been executed."""
        stamp = timestamp()
        self._cell["metadata"]["execution"] |= {"iopub.status.idle": stamp, "shell.execute_reply": stamp}

    def take(self, message: Node) -> None:
        """Add one message of the kernel; kinds that leave no output are ignored."""
        kind, content = message["msg_type"], message["content"]
        display = (content.get("transient") or {}).get("display_id")
        if display and kind in {"execute_result", "display_data", "update_display_data"}:
            for output in self._displays.get(display, []):
                output["data"], output["metadata"] = content["data"], content["metadata"]
        if "execution_count" in content:
            self._cell["execution_count"] = content["execution_count"]
        if kind == "execute_input":
            self._cell["metadata"]["execution"]["iopub.execute_input"] = timestamp()
        elif kind == "clear_output":
            if content.get("wait"):
                self._cleared = True
            else:
                self._clear()
        elif kind in _KEPT:
            self._add({"output_type": kind, **{name: content[name] for name in _KEPT[kind]}}, display)

    def _add(self, output: Node, display: str | None) -> None:
        if self._cleared:
            self._clear()
        outputs = self._cell["outputs"]
        if output["output_type"] == "stream" and outputs and outputs[-1].get("name") == output["name"]:
            outputs[-1]["text"] += output["text"]  # one text, however often it was flushed
            return
        outputs.append(output)
        if display:
            self._displays.setdefault(display, []).append(output)

    def _clear(self) -> None:
        gone = {id(output) for output in self._cell["outputs"]}
        for display, shown in self._displays.items():
            self._displays[display] = [output for output in shown if id(output) not in gone]
        self._cell["outputs"].clear()
        self._cleared = False


def timestamp() -> str:
    """Return the present time as nbclient writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
