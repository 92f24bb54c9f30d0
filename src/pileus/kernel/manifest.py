"""What a service hands to `pileus.main`: everything it adds to the cloud, as data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pileus.kernel.errors import ApiError
from pileus.kernel.http.routes import Route
from pileus.kernel.microversion import Microversions
from pileus.kernel.policy import Rule

if TYPE_CHECKING:
    from pileus.kernel.cloud import Cloud
    from pileus.kernel.reconcile import Reconciler


@dataclass(frozen=True)
class Chore:
    """Work that the reconcile role repeats: bounded, idempotent, in a thread. The first run is at the start."""

    name: str
    seconds: float
    work: "Callable[[Cloud], None]"


@dataclass(frozen=True)
class Manifest:
    """`name` is also the configuration section and the path prefix of the service (`/compute`).

    `error_body` gives the JSON of an error in the service's own form; `error_page` its HTML, with all in it escaped, for clients
    that do not ask for JSON (None: all get JSON). `types` are the catalog's service types with the path of the
    endpoint under the prefix. `setup` registers the service's parts in every role's process. `seed` writes the rows that a new cloud
    starts with: idempotent, run once by `pileus up` after the migrations, and again when `seed_version` rises. `lax_types` lets "1"
    be 1 in bodies; `head_as_get` answers HEAD wherever there is a GET. `written` is told of each committed request that may have
    changed rows.
    """

    name: str
    routes: Sequence[Route]
    policies: Sequence[Rule]
    error_body: Callable[[ApiError, str], Any]
    types: Mapping[str, str]
    title: str = ""
    microversions: Microversions | None = None
    settings: type[msgspec.Struct] | None = None
    setup: "Callable[[Cloud], None] | None" = None
    seed: "Callable[[Cloud], None] | None" = None
    seed_version: int = 1
    reconcilers: "Callable[[Cloud], Sequence[Reconciler]] | None" = None
    chores: "Sequence[Chore]" = ()
    written: "Callable[[Cloud], None] | None" = None
    lax_types: bool = True
    error_page: Callable[[ApiError], str] | None = None
    head_as_get: bool = False
    request_id_header: str = "x-openstack-request-id"
