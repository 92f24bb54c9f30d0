"""What the operator asks of passwords: form, age, history, expiry. All off unless set."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.options import Options
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import OldPassword, Password
from pileus.identity.settings import IdentitySettings
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.kernel.errors import BadRequest


def check_settings(settings: IdentitySettings) -> None:
    """Raises ConfigError for a `password_regex` that is none."""
    try:
        _pattern(settings.password_regex)
    except re.error as error:
        raise ConfigError(f"[identity] password_regex is not a regular expression: {error}") from None


def check_form(cloud: Cloud, password: str) -> None:
    """Of every new password, whoever sets it."""
    settings = cloud.settings(IdentitySettings)
    if settings.password_regex and not _pattern(settings.password_regex).match(password):
        wanted = settings.password_regex_description or f"it has to match {settings.password_regex}"
        raise BadRequest(f"The password does not match the requirements: {wanted}")


def check_age(cloud: Cloud, present: Password) -> None:
    """Of users changing their own: one that somebody else gave them may be changed at once."""
    days = cloud.settings(IdentitySettings).password_minimum_days
    again = present.created_at + timedelta(days=days)
    if present.self_service and clock.now() < again:
        raise BadRequest(f"A password is kept for {days} days at least: yours can be changed after {clock.iso(again)}.")


def check_unused(cloud: Cloud, db: Session, present: Password, new: str) -> None:
    """Of users changing their own: administrators may set any."""
    count, hasher = cloud.settings(IdentitySettings).password_history, cloud.part(Hasher)
    if not count:
        return
    query = select(OldPassword.hash).where(OldPassword.user_id == present.user_id).order_by(OldPassword.id.desc())
    before = db.scalars(query.limit(kept(cloud))).all()
    if any(hasher.verify(stored, new) for stored in (present.hash, *before)):
        raise BadRequest(f"The new password must differ from your last {count} passwords.")


def kept(cloud: Cloud) -> int:
    """How many passwords before the present one are remembered."""
    return max(0, cloud.settings(IdentitySettings).password_history - 1)


def expiry(cloud: Cloud, options: Options, since: datetime, *, self_service: bool) -> datetime | None:
    """When a password that was set at `since` expires: at once if somebody else set it and it is for the first use only."""
    settings = cloud.settings(IdentitySettings)
    first = settings.password_change_first and not options.get("ignore_change_password_upon_first_use")
    if first and not self_service:
        return since
    if settings.password_expires_days and not options.get("ignore_password_expiry"):
        return since + timedelta(days=settings.password_expires_days)
    return None


@lru_cache(maxsize=8)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
