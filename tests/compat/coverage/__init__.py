"""Which operations of the public API are there: `python -m tests.compat.coverage [SERVICE]` (with `PYTHONPATH=src:.`)."""
