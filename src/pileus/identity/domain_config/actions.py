"""Writes of a domain's configuration."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pileus.identity.domain_config.models import DomainOption
from pileus.identity.domain_config.options import SECRET, Config
from pileus.identity.domain_config.sealing import OptionSealer


def put(db: Session, sealer: OptionSealer, domain_id: str, config: Config) -> None:
    """Sets what `config` names; the rest stays as it is."""
    for group, options in config.items():
        for name, value in options.items():
            kept = sealer.seal(value) if (group, name) in SECRET and value is not None else value
            db.merge(DomainOption(domain_id=domain_id, section=group, name=name, value=kept))
    db.flush()


def remove(db: Session, domain_id: str, group: str | None = None, option: str | None = None) -> None:
    query = delete(DomainOption).where(DomainOption.domain_id == domain_id)
    if group is not None:
        query = query.where(DomainOption.section == group)
    if option is not None:
        query = query.where(DomainOption.name == option)
    db.execute(query)
