"""A Jupyter-centred stock-prediction research kit with production guards.

Importing the package does nothing but name its version; each module is imported where it is used.
"""

__version__ = "0.1.0"
