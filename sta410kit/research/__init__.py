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
`adaptive`          how intervals learn from their misses
`reliability`       whether they keep what they promise
`fan`               where the price may go over the next sessions
`learning`          what more data would teach a model
`metrics`           how far off the predictions were
`bootstrap`         how much of a result could be chance
`scores`            every score with its interval
`forecast_tests`    one forecast against another: Diebold-Mariano, Clark-West
`snooping`          the best of many against naive: White's reality check, Hansen's SPA
`ledger`            how many trials there were on a dataset and target
`overfitting`       what a Sharpe ratio is worth after so many trials
`skill`             the verdict: better than naive, or not shown to be
`backtest`          what following the predictions would have earned, after costs
`simulation`        the same for weights of any origin, thousands of strategies at once
`account`           the cash account behind both, session by session
`costs`             what trading costs, and how much of it is allowed
`performance`       Sharpe, Sortino, Calmar, drawdown and the rest
`stress`            a crash, a drought of liquidity, doubled costs
`monte_carlo`       how else the returns could have fallen
`forecasting`       the final model and what it says about the next sessions
`model_store`       that model as a file which is safe to load
`orders`            forecasts as order proposals within the risk limits
`plots`             the figures of the notebooks
==================  ==================================================================================
"""

from sta410kit.research.skill import SkillVerdict, assess_skill

__all__ = ["SkillVerdict", "assess_skill"]
