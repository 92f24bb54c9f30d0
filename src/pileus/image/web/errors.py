"""What can go wrong with a URL. All messages are safe for whoever gave it: no address that they did not type."""


class Refused(Exception):
    """The URL is not one that this cloud fetches: the caller's fault."""


class Failed(Exception):
    """The server there, or the way to it, does not do what is needed; `status` is what it answered, if it did."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(Failed):
    """There is more data than the caller takes."""


def filtered(reason: str) -> Refused:
    return Refused(f"The URL does not pass filtering: {reason}.")
