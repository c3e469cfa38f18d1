"""Digests that identify a trial, and the dataset and target it belongs to."""

from __future__ import annotations

import hashlib
import math
import zlib
from typing import TYPE_CHECKING, NamedTuple

from sta410kit.research.target_names import DEFAULT, target_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FEWEST_RETURNS = 3  # of a Sharpe ratio: two near each other by chance would have an enormous one
_DIGITS = 10  # of a log return
_SHOWN_SYMBOLS = 5
_SKETCHED = 128  # predictions kept to recognise a forecast by
_FEWEST_COMMON = 20  # of them, to call two forecasts the same
_SAME = 0.99  # their correlation


class Dataset(NamedTuple):
    """Outcomes to be predicted: a universe of symbols, a horizon, and the dates seen so far.

    ``universe`` identifies symbols and horizon, ``pieces`` has a number for each symbol: datasets with one in
    common share the count of trials whose dates overlap. Values of prices play no role: refetched, rounded or
    rescaled prices are the same data.
    """

    universe: str
    symbols: str
    horizon: int
    first: str
    last: str
    pieces: tuple[int, ...]


def dataset_of(predictions: pd.DataFrame) -> Dataset:
    """Return the dataset and target of predictions."""
    days = predictions["date"].dt.tz_localize(None)
    horizon, names = int(predictions["horizon"].iloc[0]), sorted(predictions["symbol"].astype(str).unique())
    more = f" and {len(names) - _SHOWN_SYMBOLS} more" if len(names) > _SHOWN_SYMBOLS else ""
    return Dataset(
        hashlib.sha256(repr((names, horizon)).encode()).hexdigest(),
        ", ".join(names[:_SHOWN_SYMBOLS]) + more,
        horizon,
        f"{days.min():%Y-%m-%d}",
        f"{days.max():%Y-%m-%d}",
        tuple(_number(f"{symbol}|{horizon}") for symbol in names),
    )


def _number(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # SQLite's integers are signed


class Sketch(NamedTuple):
    """Some predictions of a forecast, chosen by symbol and day alone, to recognise it by later."""

    keys: NDArray[np.uint64]
    predicted: NDArray[np.float32]

    @classmethod
    def of(cls, predictions: pd.DataFrame) -> Sketch:
        """Return the predictions whose symbol and day have the smallest hashes (bottom-k, Cohen 1997)."""
        import numpy as np

        rows = _ordered(predictions)
        hashes = _hashed(rows[["symbol", "day"]])
        chosen = np.argsort(hashes, kind="stable")[:_SKETCHED]
        return cls(hashes[chosen], rows["predicted"].to_numpy(np.float32)[chosen])

    def pack(self) -> bytes:
        """Return the sketch as bytes."""
        return self.keys.astype("<u8").tobytes() + self.predicted.astype("<f4").tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Sketch:
        """Return the sketch given to `pack`."""
        import numpy as np

        size = len(packed) // 12
        return cls(np.frombuffer(packed, "<u8", size), np.frombuffer(packed, "<f4", size, 8 * size))

    def is_same(self, other: Sketch) -> bool:
        """Whether the forecasts agree where they can be compared: they correlate by 0.99."""
        import numpy as np

        _, one, two = np.intersect1d(self.keys, other.keys, assume_unique=True, return_indices=True)
        here, there = self.predicted[one].astype(float), other.predicted[two].astype(float)
        fewest = min(_FEWEST_COMMON, len(self.keys), len(other.keys))
        if len(one) < fewest:
            return False
        here_spread, there_spread = np.ptp(here), np.ptp(there)
        if not (here_spread and there_spread):
            return bool(np.allclose(here, there, rtol=1e-3, atol=0))
        return bool(np.corrcoef(here, there)[0, 1] >= _SAME)


def forecasts_of(predictions: pd.DataFrame) -> dict[str, tuple[str, Sketch]]:
    """Return digest and sketch of each model's predictions; none if it predicts zero everywhere."""
    found = {}
    for model in predictions["model"].unique():
        own = predictions[predictions["model"] == model]
        if (own["predicted"] != 0).any():
            digest = hashlib.sha256(_hashed(_ordered(own)).tobytes()).hexdigest()
            found[str(model)] = digest, Sketch.of(own)
    return found


def candidates_of(predictions: pd.DataFrame) -> dict[str, tuple[str, float]]:
    """Return model and mean R² of each candidate that tuning has compared, by digest.

    A candidate is what was tried, on a universe, to predict a target: tuning again on more sessions tries
    nothing new, tuning for another target does.
    """
    tried, target = predictions.attrs.get("tuning", []), target_of(predictions)
    suffix = "" if target == DEFAULT else f", {target}"
    model, universe = str(predictions["model"].iloc[0]), dataset_of(predictions).universe
    found = {}
    for name in dict.fromkeys(each["candidate"] for each in tried):
        scores = [each["r2"] for each in tried if each["candidate"] == name]
        words = f"{model} {name}{suffix}"
        # A rolling window or a fit per symbol is part of what was tried.
        fits = "|".join(dict.fromkeys(str(each.get("fit", "")) for each in tried))
        digest = hashlib.sha256(f"{universe}|{words}|{fits}".encode()).hexdigest()
        found[digest] = words, sum(scores) / len(scores)
    return found


def at_least_once(p_value: float, trials: int) -> float:
    """Return the chance that one of `trials` independent tests has such a p value (Šidák 1967, JASA 62)."""
    return -math.expm1(trials * math.log1p(-min(p_value, 1 - 1e-12)))


def _ordered(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions sorted by symbol and day, rounded to what counts as different."""
    import numpy as np
    import pandas as pd

    days = predictions["date"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    # Adding zero turns minus zero into zero.
    values = {
        name: np.round(predictions[name].to_numpy(dtype=float), _DIGITS) + 0.0
        for name in ("actual", "predicted")
    }
    target = target_of(predictions)
    # The same predictions of another target are another trial.
    suffix = "" if target == DEFAULT else f"|{target}"
    symbols = (predictions["symbol"].astype(str) + suffix).to_numpy(dtype=object)
    horizons = predictions["horizon"].to_numpy(dtype=np.int64)
    rows = pd.DataFrame({"symbol": symbols, "day": days.astype(np.int64), "horizon": horizons, **values})
    return rows.sort_values(["symbol", "day"], kind="stable", ignore_index=True)


def _hashed(rows: pd.DataFrame) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each row."""
    import numpy as np
    import pandas as pd

    hashes: NDArray[np.uint64] = np.asarray(pd.util.hash_pandas_object(rows, index=False), np.uint64)
    return hashes


def pack(returns: pd.Series[float]) -> bytes:
    """Return a series indexed by date as compressed 32-bit days and floats."""
    import numpy as np

    ordered = returns.sort_index()
    days = ordered.index.to_numpy().astype("datetime64[D]").astype("<i4")
    return zlib.compress(np.diff(days, prepend=np.int32(0)).tobytes() + ordered.to_numpy("<f4").tobytes(), 1)


def unpack(packed: bytes) -> pd.Series[float]:
    """Return the series given to `pack`, to seven digits."""
    import numpy as np
    import pandas as pd

    body = zlib.decompress(packed)
    days = np.frombuffer(body[: len(body) // 2], "<i4").cumsum().astype("datetime64[D]")
    values = np.frombuffer(body[len(body) // 2 :], "<f4").astype(float)
    return pd.Series(values, index=pd.DatetimeIndex(days.astype("datetime64[us]")))


def sharpe_of(returns: pd.Series[float]) -> float | None:
    """Return mean over standard deviation of session returns, not annualised; `None` if undefined."""
    if returns.count() < FEWEST_RETURNS:
        return None
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    ratio = mean / deviation if deviation > 1e-12 * abs(mean) else math.nan  # more than rounding varies
    return ratio if math.isfinite(ratio) else None
