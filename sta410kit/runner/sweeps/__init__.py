"""One notebook with every combination of some parameters."""
