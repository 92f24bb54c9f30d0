"""`python -m bench`: what Pileus costs, as a table. See README.md."""
