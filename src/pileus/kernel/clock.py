"""Time, in one place: naive UTC datetimes everywhere inside, the APIs' text forms at the edge."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def after(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)


def iso(when: datetime | None) -> str | None:
    """`2026-01-31T12:00:00Z`, as compute, image and network write it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when is not None else None


def iso_micro(when: datetime | None) -> str | None:
    """`2026-01-31T12:00:00.000000Z`, as identity writes it and compute's instance actions do (without the Z)."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if when is not None else None


def parse(text: str) -> datetime:
    """Any ISO 8601 form that clients send; naive input is UTC. Raises ValueError."""
    when = datetime.fromisoformat(text)
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
