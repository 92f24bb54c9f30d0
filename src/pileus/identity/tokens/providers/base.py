"""What a token provider is: the words that carry a payload, which nobody else can make or change."""

from typing import Protocol

from pileus.identity.tokens.payload import Payload

LONGEST = 8192  # characters; a federated user's groups are what makes a token long


class TokenProvider(Protocol):
    def seal(self, payload: Payload) -> str:
        """The token: ASCII, without spaces."""

    def unseal(self, token: str, late: int = 0) -> Payload:
        """Raises BadToken for anything that is not a token of this cloud, and for one whose time is over by `late` milliseconds."""
