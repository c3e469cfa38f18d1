"""Plumbing shared by the whole package; nothing here is for users to import."""
