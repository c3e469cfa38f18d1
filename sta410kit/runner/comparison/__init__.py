"""How two executed notebooks, or two artifacts, differ: numbers within a tolerance, the rest exactly."""
