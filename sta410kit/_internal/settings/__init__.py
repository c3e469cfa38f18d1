"""Settings: how one is declared (`fields`), the sections, and the sources that values are read from."""
