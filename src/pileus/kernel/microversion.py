"""Microversions, as the API SIG's guideline describes them: one header in, the same header out."""

from typing import NamedTuple

from pileus.kernel.errors import BadRequest, NotAcceptable


class Version(NamedTuple):
    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def version(text: str) -> Version:
    major, _, minor = text.partition(".")
    if not (major.isdecimal() and minor.isdecimal() and len(text) < 12):
        raise ValueError(text)
    return Version(int(major), int(minor))


class Microversions(NamedTuple):
    """The range a service speaks. `legacy_header` is the older, service-specific form."""

    service_type: str
    lowest: Version
    highest: Version
    legacy_header: str | None = None

    def negotiate(self, header: str | None, legacy: str | None) -> Version:
        """The version asked for by `OpenStack-API-Version: <type> X.Y` (or the legacy header); lowest when none is asked."""
        asked = None
        for part in (header or "").split(","):
            name, _, value = part.strip().partition(" ")
            if name.lower() == self.service_type and value.strip():
                asked = value.strip()
        asked = asked or (legacy.strip() if legacy and self.legacy_header else None)
        if asked is None:
            return self.lowest
        if asked.lower() == "latest":
            return self.highest
        try:
            wanted = version(asked)
        except ValueError:
            raise BadRequest(
                f"API version string {asked!r} is of invalid format. Must be of format MajorNum.MinorNum."
            ) from None
        if not self.lowest <= wanted <= self.highest:
            raise NotAcceptable(
                f"Version {wanted} is not supported by the API. Minimum is {self.lowest} and maximum is {self.highest}."
            )
        return wanted

    def headers(self, spoken: Version) -> dict[str, str]:
        out = {"openstack-api-version": f"{self.service_type} {spoken}", "vary": "OpenStack-API-Version"}
        if self.legacy_header:
            out[self.legacy_header.lower()] = str(spoken)
            out["vary"] = f"{self.legacy_header}, OpenStack-API-Version"
        return out
