"""Users of the service and their tokens, which are kept as Argon2 hashes only."""
