"""The access rules of credentials: read with one query, made once for each user."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pileus.identity.application_credentials.models import AccessRule, ApplicationCredentialRule
from pileus.identity.application_credentials.schemas import NewRule
from pileus.kernel.context import AccessRule as Allowed
from pileus.kernel.errors import BadRequest, Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.schema import UNSET, Unset

WILDCARD = re.compile(r"\*\*|\*|\{[^/{}]*\}")  # as AccessRule.allows reads a path


class Kept(NamedTuple):
    """An access rule as it is read, many at once."""

    id: str
    service: str
    path: str
    method: str


_RULES = (
    select(
        ApplicationCredentialRule.application_credential_id,
        AccessRule.id,
        AccessRule.service,
        AccessRule.path,
        AccessRule.method,
    )
    .join(AccessRule, AccessRule.id == ApplicationCredentialRule.access_rule_id)
    .where(ApplicationCredentialRule.application_credential_id.in_(bindparam("credentials", expanding=True)))
    .order_by(AccessRule.service, AccessRule.path, AccessRule.method)
)


def of(db: Session, credential_ids: Sequence[str]) -> dict[str, list[Kept]]:
    """By credential."""
    found: dict[str, list[Kept]] = {credential_id: [] for credential_id in credential_ids}
    for credential_id, *rule in db.execute(_RULES, {"credentials": list(credential_ids)}):
        found[credential_id].append(Kept(*rule))
    return found


def brief(rule: AccessRule | Kept) -> Json:
    return {"id": rule.id, "service": rule.service, "path": rule.path, "method": rule.method}


def chosen(call: Call, user_id: str, asked: Sequence[NewRule] | Unset | None) -> list[AccessRule]:
    """The rows for what a new credential asks for, made as needed. Raises BadRequest, Forbidden or NotFound.

    A token under access rules hands on those rules and no others; all of them when none are asked for.
    """
    own = call.context.access_rules
    handed_on = [_same(call, user_id, rule) for rule in own or ()]
    rows = [_row(call, user_id, rule) for rule in asked] if isinstance(asked, list) else handed_on
    for row in rows:
        rule = allows(row)
        if own is not None and rule not in own:
            raise Forbidden(f"The application credential in use has no access rule {rule.method} {rule.path} itself.")
    return list({row.id: row for row in rows}.values())


def allows(row: AccessRule | Kept) -> Allowed:
    """As the kernel enforces it."""
    return Allowed(row.service, row.method, row.path)


def _row(call: Call, user_id: str, asked: NewRule) -> AccessRule:
    new = asked.service, asked.method, asked.path
    if asked.id is not UNSET:
        row = call.db.get(AccessRule, asked.id)
        if any(part is not UNSET for part in new):
            raise BadRequest("An access rule is given by its id, or by service, path and method; not by both.")
        if row is None or row.user_id != user_id:
            raise NotFound(f"Access rule {asked.id} could not be found.")
        return row
    if asked.service is UNSET or asked.method is UNSET or asked.path is UNSET:
        raise BadRequest("A new access rule needs service, path and method.")
    _check_wildcards(asked.path)
    return _same(call, user_id, Allowed(asked.service, asked.method, asked.path))


def _check_wildcards(path: str) -> None:
    """Raises BadRequest. Few enough that matching never takes long, whatever path somebody requests."""
    in_segments = [WILDCARD.findall(segment) for segment in path.split("/")]
    if any(len(found) > 1 for found in in_segments) or in_segments.count(["**"]) > 1:
        raise BadRequest(f"{path} has too many wildcards: one between two slashes, and ** once.")


def _same(call: Call, user_id: str, rule: Allowed) -> AccessRule:
    same = AccessRule.service == rule.service, AccessRule.path == rule.path, AccessRule.method == rule.method
    row = call.db.scalar(select(AccessRule).where(AccessRule.user_id == user_id, *same))
    if row is None:
        row = AccessRule(user_id=user_id, **rule._asdict())
        call.db.add(row)
        call.db.flush()
    return row
