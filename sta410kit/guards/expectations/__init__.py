"""The kit's expectations: they know symbols, sessions, splits and units, which generic ones do not.

To add an expectation to the kit, write its class in the module of its subject and name it below; a project
registers its own with `expectation`. Its name in a suite file is that of the class in snake case. Nothing
here imports Great Expectations: `sta410kit.guards.great_expectations` registers them there.

====================  ==================================================================================
`rows_and_dates`      rows out of order, symbols spelled in two ways, sessions missing or extra, stale data
`price_levels`        splits the adjusted close does not know, factors of 10 and 100, `adj_close` that departs
`bars`                spikes that revert, highs and lows far out, open and close swapped
`repeated_bars`       bars, volumes and closes repeated, stretches that appear twice
`other_symbols`       two symbols with one series, dates a session off
`volumes`             sessions without volume, parts of shares, volume in lots or thousands
`history`             past sessions revised, columns changed, since the last snapshot
`features`            collinear, constant, frozen, incomplete and drifted features
`predictions`         constant, exploding and foreseen predictions, useless intervals, missing forecasts
====================  ==================================================================================
"""

from typing import TypeVar

from sta410kit._internal.project_modules import import_declared_modules
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.expectations import (
    bars,
    features,
    history,
    other_symbols,
    predictions,
    price_levels,
    repeated_bars,
    rows_and_dates,
    volumes,
)
from sta410kit.guards.expectations.base import BlockExpectation, Expectation, judge_all

_ALL: tuple[type[Expectation], ...] = (
    rows_and_dates.ExpectRowsInOrder,
    rows_and_dates.ExpectSymbolsSpelledAlike,
    rows_and_dates.ExpectDatesWithoutTime,
    rows_and_dates.ExpectDatesNotInFuture,
    rows_and_dates.ExpectLastSessionToBeRecent,
    rows_and_dates.ExpectSessionsToMatchCalendar,
    price_levels.ExpectJumpsToBeExplained,
    price_levels.ExpectPricesInOneUnit,
    price_levels.ExpectAdjustedCloseToFollowClose,
    bars.ExpectNoRevertingSpikes,
    bars.ExpectNoExtremeWicks,
    bars.ExpectPricesWithinBar,
    bars.ExpectOpenToFollowClose,
    repeated_bars.ExpectNoStaleBars,
    repeated_bars.ExpectNoPastedBars,
    other_symbols.ExpectSymbolsToDiffer,
    other_symbols.ExpectSymbolsInStep,
    volumes.ExpectNoRunsOfZeroVolume,
    volumes.ExpectWholeShares,
    volumes.ExpectVolumeInOneUnit,
    history.ExpectHistoryUnrevised,
    history.ExpectSchemaUnchanged,
    features.ExpectFeaturesNotCollinear,
    features.ExpectFeaturesToVary,
    features.ExpectFeaturesNotFrozen,
    features.ExpectFeaturesNotDrifted,
    features.ExpectMissingOnlyInWarmUp,
    predictions.ExpectPredictionsToVary,
    predictions.ExpectPredictionsInScale,
    predictions.ExpectOutcomesNotForeseen,
    predictions.ExpectIntervalsToHoldOutcomes,
    predictions.ExpectEnoughRowsInEachGroup,
    predictions.ExpectEverySymbolInEachGroup,
    predictions.ExpectOneDateInEachGroup,
    predictions.ExpectForecastsInScale,
    predictions.ExpectWholeNumbers,
)
EXPECTATIONS = {one.type_name(): one for one in _ALL}
"""Every expectation by its name in a suite file; `registered` has those of the project too."""

_Rule = TypeVar("_Rule", bound=type[Expectation])


def expectation(rule: _Rule) -> _Rule:
    """Register an expectation of a project, so that its suites may name it.

    Parameters
    ----------
    rule : type of Expectation
        A class called ``ExpectSomething``; suites name it ``expect_something``.

    Raises
    ------
    ConfigurationError
        The name does not begin with ``Expect``, or another class has it. The same class may be registered
        again, as a cell does that is run twice.
    """
    name = rule.type_name()
    if not name.startswith("expect_"):
        message = f"an expectation is called ExpectSomething, not {rule.__name__}; rename the class"
        raise ConfigurationError(message)
    there = EXPECTATIONS.get(name)
    if there is not None and (there.__module__, there.__qualname__) != (rule.__module__, rule.__qualname__):
        message = f"there is an expectation {name!r} in {there.__module__}; choose another name"
        raise ConfigurationError(message)
    EXPECTATIONS[name] = rule
    return rule


def registered() -> dict[str, type[Expectation]]:
    """Return every expectation by its name, those of the modules that the project declares included."""
    import_declared_modules()
    return EXPECTATIONS


__all__ = ["EXPECTATIONS", "BlockExpectation", "Expectation", "expectation", "judge_all", "registered"]
