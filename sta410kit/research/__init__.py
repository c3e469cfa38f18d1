"""Models and statistics: from prices to features, predictions, a verdict and a forecast.

====================  ====================================================================
`features`            what was known at the close of *t*
`targets`             what is predicted
`models`              what predicts, from naive to a custom estimator
`folds`               where a walk-forward trains and tests
`walk_forward`        out-of-sample predictions
`volatility`          how much prices will move
`conformal`           an interval around every prediction
`quantile_forecast`   where the price may be over the next sessions
`minimum_history`     whether prices reach back far enough
`stationarity`        which series keep their mean and spread
`importance`          which features a model needs
`metrics`             scores, with intervals
`bootstrap`           resamples of dates
`forecast_tests`      Diebold-Mariano, Clark-West, Hansen's SPA, White's reality check
`skill`               the verdict: better than naive, or not shown to be
`ledger`              how many trials there were on a dataset and target
`overfitting`         what a Sharpe ratio is worth after so many trials
`backtest`            what following the predictions would have earned, after costs
`simulation`          the same for arbitrary weights, thousands of strategies at once
`account`             the cash account behind both
`costs`               trading costs and position limits
`performance`         Sharpe, Sortino, Calmar, drawdown and other figures of an equity curve
`stress`              a crash, a liquidity drought, doubled costs
`monte_carlo`         resampled paths of the returns
`forecasting`         the final model and its forecast
`forecast_log`        every forecast of a passed run, and what came of it
`model_store`         that model as a file that is safe to load
`orders`              forecasts as order proposals within the risk limits
`plots`               the figures of the notebooks
`frames`              argument checks, and the panel of predictions
====================  ====================================================================
"""
