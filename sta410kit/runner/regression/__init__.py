"""Notebooks beside their committed outputs."""
