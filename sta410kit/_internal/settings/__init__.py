"""Where settings come from and what they may be.

One file a source (`dotenv_file`, `secret_file`), one that asks them in order, one for the sections, one for
the words of a refusal. `sta410kit.config` puts them together and is what the rest of the kit imports.
"""
