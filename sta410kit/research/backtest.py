"""What following the predictions would have earned, after costs.

A prediction made at the close of *t* is traded at the open of the next session, the first price one could
get.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import ledger
from sta410kit.research.frames import require_predictions, require_prices

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SESSIONS_A_YEAR = 252


@dataclass(frozen=True)
class Backtest:
    """A strategy through time, and what is left of it.

    ``frame`` has one row a session: ``date`` (positions taken at its open, held to the next open),
    ``position`` (net weight), ``turnover`` (weight traded, bought plus sold), ``gross``, ``cost``, ``net``
    (simple returns, unit 1), ``equity`` (1.0 at the start), ``drawdown`` (0 or below) and ``benchmark``
    (equity of buy and hold). ``summary`` and ``benchmark`` hold total and annualised return, volatility,
    Sharpe ratio (annualised, riskless rate 0), maximum drawdown, mean turnover a session, and sessions.
    """

    frame: pd.DataFrame
    cost_bps: float
    threshold: float
    summary: dict[str, float] = field(default_factory=dict)
    benchmark: dict[str, float] = field(default_factory=dict)


def backtest(
    predictions: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    cost_bps: float = 5.0,
    threshold: float = 0.0,
) -> Backtest:
    """Return the result of trading the sign of every prediction.

    Each decision date splits the capital equally over the symbols predicted that day: long where the
    prediction exceeds `threshold`, short where it lies below minus `threshold`, cash otherwise. With a
    horizon of *h* sessions each decision gets 1/*h* of the capital for *h* sessions (overlapping sleeves,
    Jegadeesh and Titman 1993). Returns run from open to open on prices adjusted for splits and dividends.
    Costs are charged on every change of weight, drift included, and on closing the book at the end. Borrowing
    shares and holding cash cost and earn nothing; a symbol without an open on some session is held at its
    last one.

    The benchmark buys equal amounts of the symbols predicted on the first decision date at the first open and
    holds them to the last, paying the same costs.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    prices : DataFrame
        The prices frame that the predictions come from.
    cost_bps : float
        Cost of trading in basis points of the amount traded (spread, slippage, commission), 0 or more.
    threshold : float
        Smallest absolute prediction that is traded, log return, unit 1.

    Raises
    ------
    ConfigurationError
        If a cost or threshold is negative or no number.
    DataValidationError
        If the predictions mix models or horizons, hold no number somewhere, do not match the prices, or leave
        no session to hold.
    """
    import numpy as np
    import pandas as pd

    for name, value in (("cost_bps", cost_bps), ("threshold", threshold)):
        if not 0 <= value < np.inf:
            message = f"{name} is {value!r}; give a number of 0 or more."
            raise ConfigurationError(message)
    require_predictions(predictions)
    require_prices(prices, DataValidationError)
    horizon = int(predictions["horizon"].iloc[0])
    opens = _adjusted_opens(prices)
    wanted = _weights(predictions, opens, threshold, horizon)
    decided = opens.index.get_indexer(pd.Index([predictions["date"].min(), predictions["date"].max()]))
    begin, finish = int(decided[0]) + 1, min(int(decided[1]) + horizon, len(opens) - 2)
    if finish < begin:
        message = (
            "No open follows the predictions, so nothing can be traded; load prices that go on after them."
        )
        raise DataValidationError(message)
    sessions = opens.index[begin : finish + 1]
    level = opens.to_numpy()
    moves = level[begin + 1 : finish + 2] / level[begin : finish + 1] - 1
    moves = np.nan_to_num(moves, nan=0.0)  # not listed yet: its weight is zero too
    held = wanted.shift(1).loc[sessions].to_numpy()  # decided at one close, in force from the next open
    rate = cost_bps / 10_000
    frame = pd.DataFrame({"date": sessions, **_account(held, moves, rate)})
    first = predictions.loc[predictions["date"] == predictions["date"].min(), "symbol"]
    frame["benchmark"] = _hold(opens[sorted(first)].to_numpy()[begin : finish + 2], rate)
    own = _summary(frame["equity"].to_numpy()) | {"turnover": float(frame["turnover"].mean())}
    ledger.record_backtest(predictions, frame["date"], frame["net"], threshold=threshold)
    return Backtest(frame, cost_bps, threshold, own, _summary(frame["benchmark"].to_numpy()))


def _adjusted_opens(prices: pd.DataFrame) -> pd.DataFrame:
    """Return adjusted opens, one row a session and one column a symbol; gaps carry the last open on."""
    adjusted = prices.assign(open=prices["open"] * prices["adj_close"] / prices["close"])
    # pivot refuses a session that is there twice; pivot_table would average it
    return adjusted.pivot(index="date", columns="symbol", values="open").sort_index().ffill()  # noqa: PD010


def _weights(predictions: pd.DataFrame, opens: pd.DataFrame, threshold: float, horizon: int) -> pd.DataFrame:
    """Return the weights wanted after each close, on the sessions and symbols of `opens`."""
    import numpy as np
    import pandas as pd

    predicted = predictions.pivot(index="date", columns="symbol", values="predicted")  # noqa: PD010 - as above
    strange = predicted.index.difference(opens.index), predicted.columns.difference(opens.columns)
    if len(strange[0]) or len(strange[1]):
        what = [f"{day:%Y-%m-%d}" for day in strange[0][:3]] + list(strange[1][:3])
        message = (
            f"The predictions have {', '.join(what)}, the prices do not; use the prices they were made from."
        )
        raise DataValidationError(message)
    side = (predicted > threshold).astype("float64") - (predicted < -threshold).astype("float64")
    share = side.div(predicted.notna().sum(axis=1), axis=0)
    every = share.reindex(index=opens.index, columns=opens.columns).fillna(0.0)
    sleeves = np.stack([every.shift(age, fill_value=0.0).to_numpy() for age in range(horizon)])
    return pd.DataFrame(sleeves.sum(axis=0) / horizon, index=every.index, columns=every.columns)


def _account(held: Floats, moves: Floats, rate: float) -> dict[str, Floats]:
    """Return the book, session by session.

    `held` are the weights in force and `moves` the returns to the next open, shape (sessions, symbols). A
    session that loses everything leaves nothing: the equity stays at zero.
    """
    import numpy as np

    gross = (held * moves).sum(axis=1)
    growth = np.maximum(1 + gross, 0.0)[:, None]
    values = held * (1 + moves)  # what the positions have become at the next open
    drifted = np.divide(values, growth, out=np.zeros_like(values), where=growth > 0)
    before = np.vstack([np.zeros(held.shape[1]), drifted[:-1]])
    turnover = np.abs(held - before).sum(axis=1)
    closing = np.zeros(len(held))
    closing[-1] = np.abs(drifted[-1]).sum()
    net = np.maximum((1 - turnover * rate) * (1 + gross) * (1 - closing * rate), 0.0) - 1
    equity = np.cumprod(1 + net)
    return {
        "position": held.sum(axis=1),
        "turnover": turnover + closing,
        "gross": gross,
        "cost": gross - net,
        "net": net,
        "equity": equity,
        "drawdown": equity / np.maximum(np.maximum.accumulate(equity), 1.0) - 1,
    }


def _hold(level: Floats, rate: float) -> Floats:
    """Return the equity at each next open of equal amounts bought at the first open and sold at the last."""
    import numpy as np

    listed = level[:, ~np.isnan(level[0])]
    equity: Floats = (1 - rate) * (listed[1:] / listed[0]).mean(axis=1)
    equity[-1] *= 1 - rate
    return equity


def _summary(equity: Floats) -> dict[str, float]:
    """Return the figures of an equity curve that starts from 1.0 before its first value."""
    import numpy as np

    curve = np.concatenate([[1.0], equity])
    returns = np.divide(curve[1:], curve[:-1], out=np.ones(len(equity)), where=curve[:-1] > 0) - 1
    volatility = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    scale = SESSIONS_A_YEAR**0.5
    return {
        "total_return": float(equity[-1] - 1),
        "annualised_return": float(max(equity[-1], 0.0) ** (SESSIONS_A_YEAR / len(equity)) - 1),
        "volatility": volatility * scale,
        "sharpe": float(returns.mean() / volatility * scale) if volatility > 0 else 0.0,
        "max_drawdown": float((curve / np.maximum.accumulate(curve) - 1).min()),
        "sessions": len(equity),
    }
