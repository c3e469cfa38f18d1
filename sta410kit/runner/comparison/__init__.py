"""Compare two runs: what they depended on, the values they recorded and the files they left."""
