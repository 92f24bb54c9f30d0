"""Reading a domain's configuration."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.domain_config.models import DomainOption
from pileus.identity.domain_config.options import SECRET, Config, Options, showable
from pileus.identity.domain_config.sealing import OptionSealer


def stored(db: Session, domain_id: str) -> Config:
    """All that is set, secrets as they are stored."""
    query = select(DomainOption).where(DomainOption.domain_id == domain_id)
    found: Config = {}
    for row in db.scalars(query.order_by(DomainOption.section, DomainOption.name)):
        found.setdefault(row.section, {})[row.name] = row.value
    return found


def shown(config: Config) -> Config:
    """Without secrets, and without groups that have nothing else."""
    visible = {group: showable(group, options) for group, options in config.items()}
    return {group: options for group, options in visible.items() if options}


def drivers(db: Session) -> dict[str, str]:
    """Domain -> the driver that it names, of domains that name one."""
    query = select(DomainOption.domain_id, DomainOption.value)
    rows = db.execute(query.where(DomainOption.section == "identity", DomainOption.name == "driver"))
    return {row.domain_id: row.value for row in rows if row.value is not None}


def opened(sealer: OptionSealer, group: str, options: Options) -> Options:
    """A group as its driver needs it: secrets unsealed and put in where `%(password)s` stands, null left to the default."""
    given = {name: value for name, value in options.items() if value is not None}
    secrets = {name: sealer.unseal(value) for name, value in given.items() if (group, name) in SECRET}
    for secret, plain in secrets.items():
        for name, value in given.items():
            given[name] = value.replace(f"%({secret})s", plain) if isinstance(value, str) else value
    return given | secrets
