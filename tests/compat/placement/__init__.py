"""osc-placement's own functional tests, unmodified, against a running Pileus: `python -m tests.compat.placement --help`."""
