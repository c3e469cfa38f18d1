"""Models and statistics: from prices to features, predictions, a verdict and a forecast.

==================  ==================================================================================
`features`          what was known at the close of *t*
`targets`           what is to be predicted
`models`            what predicts, from naive to your own estimator
`folds`             where a walk trains and where it tests
`estimation`        fit and predict, across folds and at the end
`walk_forward`      predictions made as they would have been made at the time
`cpcv`              predictions on many combinations of pasts
`volatility`        how wide the next return may be
`conformal`         an interval around every prediction
`metrics`           how far off the predictions were
`bootstrap`         how much of a result could be chance
`skill`             the verdict: better than naive, or not shown to be
`backtest`          what following the predictions would have earned, after costs
`forecasting`       the final model and what it says about the next sessions
`model_store`       that model as a file which is safe to load
`orders`            forecasts as order proposals within the risk limits
`plots`             the figures of the notebooks
==================  ==================================================================================
"""
