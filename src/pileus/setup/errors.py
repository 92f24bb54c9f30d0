"""What may go wrong while the environment is put in place."""


class SetupError(Exception):
    """A failure that a person can act on: ``problem`` says what is wrong, ``remedy`` what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  {remedy}")
        self.problem = problem
        self.remedy = remedy
