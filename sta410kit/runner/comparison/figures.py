"""Figures, compared by the root mean square of their pixels' differences."""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from sta410kit.runner.comparison.tolerance import Tolerance

_SLACK = 2  # pixels: a tight box around letters may be drawn this much wider


def differences_of_figures(expected: str, got: str, tolerance: Tolerance) -> list[str]:
    """Return in what two images, base64-encoded, differ; nothing when they are near enough.

    The measure is that of Matplotlib's own tests: the root of the mean square over all pixels and the three
    colours, each from 0 to 255, on a white ground. Sizes may differ by two pixels.
    """
    if expected == got:
        return []
    before, after = _pixels(expected), _pixels(got)
    if before is None or after is None:
        return [f"the {'expected' if before is None else 'new'} image cannot be read"]
    sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (before, after)]
    if any(abs(one - other) > _SLACK for one, other in zip(before.shape, after.shape, strict=True)):
        return [f"expected a figure of {sizes[0]} pixels, got one of {sizes[1]}"]
    height, width = (min(pair) for pair in zip(before.shape[:2], after.shape[:2], strict=True))
    apart = before[:height, :width] - after[:height, :width]
    rms = float(np.sqrt(np.mean(np.square(apart))))
    if rms <= tolerance.figure_rms:
        return []
    return [f"the figure differs by an RMS of {rms:.2f}, {tolerance.figure_rms:g} is allowed"]


def _pixels(image: str) -> npt.NDArray[np.float64] | None:
    from PIL import Image

    try:
        opened: Any = Image.open(io.BytesIO(base64.b64decode("".join(image))))
        ground = Image.new("RGBA", opened.size, "white")
        ground.alpha_composite(opened.convert("RGBA"))
        return np.asarray(ground.convert("RGB"), dtype=np.float64)
    except (OSError, ValueError, binascii.Error, Image.DecompressionBombError):
        return None
