"""Users who have not logged in for long are disabled, if the operator wants that (`inactive_days`)."""

from datetime import datetime, timedelta

from sqlalchemy import update

from pileus.identity.options import Options
from pileus.identity.settings import IdentitySettings
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud

DAY = timedelta(days=1)


def starting(cloud: Cloud, options: Options) -> datetime | None:
    """What `last_active_at` is of a user who was just made, enabled or exempted."""
    watched = cloud.settings(IdentitySettings).inactive_days and not options.get("ignore_user_inactivity")
    return clock.now() if watched else None


def is_over(cloud: Cloud, user: User) -> bool:
    days = cloud.settings(IdentitySettings).inactive_days
    return bool(days) and user.last_active_at is not None and user.last_active_at <= clock.now() - days * DAY


def seen(cloud: Cloud, user: User) -> None:
    """The user logged in. Written once a day, in a transaction of its own."""
    stamp = starting(cloud, user.options)
    if stamp is not None and (user.last_active_at is None or user.last_active_at <= stamp - DAY):
        with cloud.db.writing() as db:
            db.execute(update(User).where(User.id == user.id).values(last_active_at=stamp))


def disable(cloud: Cloud) -> None:
    """Chore: the rows say what logins find. The tokens of these users end."""
    days = cloud.settings(IdentitySettings).inactive_days
    if days:
        over = User.enabled, User.last_active_at <= clock.now() - days * DAY
        with cloud.db.writing() as db:
            db.execute(update(User).where(*over).values(enabled=False, token_epoch=User.token_epoch + 1))
