"""OpenStack's own test suite, unmodified, against a running Pileus: `python -m tests.compat.tempest --help`."""
