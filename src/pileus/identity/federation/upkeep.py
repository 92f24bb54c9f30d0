"""What federation adds to every process, and what it throws away in time."""

from sqlalchemy import delete

from pileus.identity.federation.login import external
from pileus.identity.federation.login.models import ExpiringMembership, UsedProof
from pileus.identity.federation.login.parties import Parties
from pileus.identity.federation.service_providers.offers import Offers
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import keys
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud


def setup(cloud: Cloud) -> None:
    external.networks(cloud.settings(IdentitySettings).trusted_fronts)
    cloud.add(Parties(cloud))
    cloud.add(Offers())


def sweep(cloud: Cloud) -> None:
    """Rows whose time is over, and keys that are due."""
    with cloud.db.writing() as db:
        for table in (UsedProof, ExpiringMembership):
            db.execute(delete(table).where(table.expires_at <= clock.now()))
    folder, settings = cloud.part(Parties).seals.folder, cloud.settings(IdentitySettings)
    if folder.is_dir() and settings.token_key_days:
        keys.rotate(folder, settings.token_keys, due=settings.token_key_days * 86400)
