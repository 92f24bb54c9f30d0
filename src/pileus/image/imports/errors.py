"""How work on an image ends early."""


class ImportFailed(Exception):
    """It can not succeed. The message is for the user who asked."""


class Stopped(Exception):
    """The image is gone, or another process works on it now: there is nothing to undo."""
