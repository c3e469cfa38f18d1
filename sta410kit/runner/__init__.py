"""Runs notebooks headless: one alone, or the chain; keeps what they leave behind in run folders."""
