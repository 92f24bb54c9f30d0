"""From a bare machine to a running environment. Standard library only: it runs before anything is installed."""
