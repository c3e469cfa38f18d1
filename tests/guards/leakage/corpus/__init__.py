"""Planted leaks and their honest twins, which the leak probe must find and must leave alone."""

from tests.guards.leakage.corpus import calendars, decisions, markets, samples, windows

CASES = (*windows.CASES, *samples.CASES, *calendars.CASES, *markets.CASES, *decisions.CASES)
