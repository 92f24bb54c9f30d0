"""What users' URLs may lead to, and how long and how much is waited for."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pileus.image.web.rules import Rule

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0)]


class WebSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Part `web` of section `[image]`. Sizes in bytes, times in seconds."""

    schemes: Annotated[tuple[Literal["http", "https"], ...], Meta(description="schemes of users' URLs")] = (
        "http",
        "https",
    )
    ports: Annotated[tuple[Port, ...], Meta(description="ports of users' URLs")] = (80, 443)
    allow: Annotated[
        tuple[str, ...],
        Meta(
            description="hosts (.example.org: all below it) and networks, each with or without :port,"
            " that users' URLs may lead to although their address is not public or their port not among ports"
        ),
    ] = ()
    deny: Annotated[
        tuple[str, ...], Meta(description="hosts and networks that users' URLs never lead to, also if allowed")
    ] = ()
    redirects: Annotated[int, Meta(ge=0, le=20, description="redirects that are followed")] = 5
    ca_file: Annotated[str, Meta(description="PEM file of the authorities believed; default the system's")] = ""
    connect_timeout: Annotated[Seconds, Meta(description="seconds to connect to one address, and again for TLS")] = 10
    answer_timeout: Annotated[Seconds, Meta(description="seconds until an answer's headers are there")] = 30
    idle_timeout: Annotated[Seconds, Meta(description="seconds without any data")] = 60
    slowest: Annotated[
        int,
        Meta(ge=0, description="bytes a second that a server must send on average of each minute waited for; 0: any"),
    ] = 16384
    whole_timeout: Annotated[float, Meta(ge=0, description="seconds until all data must be there; 0: no limit")] = 21600
    max_head: Annotated[int, Meta(ge=1024, le=1 << 20, description="bytes of an answer's headers")] = 32768

    def __post_init__(self) -> None:
        for entry in (*self.allow, *self.deny):
            Rule.parse(entry)  # raises ValueError, which names it
