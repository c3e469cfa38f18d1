"""The service: pages, an HTTP API and a queue of runs over the project's run store.

Needs the extra ``serve``. It starts runs as the command line does and reads what they leave; without it
everything works from cron.
"""
