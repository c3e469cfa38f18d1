"""Planted leaks and their honest twins, each with a sentence: what the probe must find and must leave alone.

============  =============================================================================
`case`        what a case is
`windows`     shifts, windows, filters: the near future
`samples`     statistics over the whole sample: scaling, ranking, imputation, models
`calendars`   months, weeks, years, and columns that speak on few days
`markets`     symbols together: leaders, universes, cross-sections
`decisions`   targets, signals and when they are acted upon; state and layouts
`synthetic`   made-up prices
`measure`     recall and false alarms
============  =============================================================================
"""
