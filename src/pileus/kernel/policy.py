"""Authorisation with oslo.policy's language: defaults in code, an operator's `policy.yaml` on top. Deny by default."""

import logging
import time
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from oslo_config import cfg
from oslo_policy import opts, policy

from pileus.kernel.context import Context
from pileus.kernel.errors import Forbidden

MOST = 10_000  # verdicts kept
log = logging.getLogger(__name__)


class Rule(NamedTuple):
    """A named check. `scopes` are those a token may have: project, domain, system."""

    name: str
    check: str
    description: str
    scopes: tuple[str, ...] = ("project", "system")


BASE_RULES = (
    Rule("admin_required", "role:admin", "Administrators of the cloud"),
    Rule("service_role", "role:service", "Services of the cloud calling each other"),
    Rule("owner", "project_id:%(project_id)s", "Anyone with a role in the project that owns the target"),
    Rule("project_reader", "role:reader and rule:owner", "Those who may read in the project"),
    Rule("project_member", "role:member and rule:owner", "Those who may change things in the project"),
    Rule("project_manager", "role:manager and rule:owner", "Those who run the project"),
    Rule("reader_or_admin", "rule:project_reader or rule:admin_required", "Readers of the project, and administrators"),
    Rule("member_or_admin", "rule:project_member or rule:admin_required", "Members of the project, and administrators"),
    Rule(
        "manager_or_admin", "rule:project_manager or rule:admin_required", "Managers of the project, and administrators"
    ),
    Rule("anyone", "@", "Everyone with a valid token"),
)


class Policy:
    def __init__(self, rules: Iterable[Rule], policy_file: Path) -> None:
        """`policy_file` is the operator's; it need not exist."""
        conf = cfg.ConfigOpts()
        opts.set_defaults(conf)
        conf([], default_config_files=[], default_config_dirs=[])
        self._enforcer = policy.Enforcer(conf, policy_file=str(policy_file))
        self.names: set[str] = set()
        for rule in (*BASE_RULES, *rules):
            if rule.name not in self.names:
                self._enforcer.register_default(
                    policy.RuleDefault(rule.name, rule.check, rule.description, scope_types=list(rule.scopes))
                )
                self.names.add(rule.name)
        self._file = policy_file
        self._mark: int | None = None  # the file's time as it was read last
        self._look_again = 0.0
        self._verdicts: dict[Hashable, bool] = {}
        self._lasting = False
        self._load()
        self._mark = self._time()

    def _load(self, *, again: bool = False) -> None:
        try:
            self._enforcer.load_rules(force_reload=again)
        finally:
            self._enforcer.use_conf = False  # `_refresh` decides when the file is read
            self._verdicts.clear()
            # A verdict follows from caller and target alone, unless a rule asks another server.
            self._lasting = not any("http" in str(check) for check in self._enforcer.rules.values())

    def _time(self) -> int | None:
        try:
            return self._file.stat().st_mtime_ns
        except OSError:
            return None

    def _refresh(self) -> None:
        """Take up an edited file within a second. One that can not be read leaves the rules as they were."""
        now = time.monotonic()
        if now < self._look_again:
            return
        self._look_again = now + 1
        mark = self._time()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            self._load(again=True)
        except Exception:
            log.exception("%s is not taken up: the rules stay as they were", self._file)

    def allows(self, context: Context, rule: str, target: Mapping[str, object]) -> bool:
        """`target` is what the rule is about: never the request's body, always what the database says (or will say).

        What is None is left out: a check on it must fail, and never match a caller who has none of it either.
        """
        if rule not in self.names:
            raise LookupError(f"policy rule {rule!r} is not registered")
        self._refresh()
        known = {name: value for name, value in target.items() if value is not None}
        credentials = context.credentials()
        key = (rule, context.roles, *known.items(), *((n, v) for n, v in credentials.items() if n != "roles"))
        try:
            held = self._verdicts.get(key)
        except TypeError:  # a target with a list in it
            return self._ask(rule, known, credentials)
        if held is None:
            held = self._ask(rule, known, credentials)
            if self._lasting:
                if len(self._verdicts) >= MOST:
                    self._verdicts.clear()
                self._verdicts[key] = held
        return held

    def _ask(self, rule: str, known: Mapping[str, object], credentials: Mapping[str, object]) -> bool:
        try:
            verdict: Any = self._enforcer.enforce(rule, dict(known), dict(credentials))
        except policy.InvalidScope:
            return False
        return bool(verdict)

    def enforce(self, context: Context, rule: str, target: Mapping[str, object]) -> None:
        if not self.allows(context, rule, target):
            raise Forbidden(f"Policy does not allow {rule} to be performed.", kind="PolicyNotAuthorized")
