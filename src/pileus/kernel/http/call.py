"""One request, as handlers see it; and what they may answer with."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sqlalchemy.orm import Session
from starlette.requests import Request

from pileus.kernel.context import ANONYMOUS, Context
from pileus.kernel.microversion import Version

if TYPE_CHECKING:
    from pileus.kernel.cloud import Cloud
    from pileus.kernel.http.routes import Route
    from pileus.kernel.manifest import Manifest

Json = dict[str, Any]


class Reply:
    """An answer that is more than a body with the route's usual status."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self, body: object = None, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.body = body
        self.status = status
        self.headers = dict(headers or {})


class Later:
    """The rest of an answer, awaited after the transaction has ended: for the few calls that must ask a host."""

    __slots__ = ("ask",)

    def __init__(self, ask: Callable[[], Awaitable[Json]]) -> None:
        self.ask = ask


class Call:
    """The request being served. `db` is its one transaction, which only the kernel commits."""

    def __init__(
        self, cloud: "Cloud", manifest: "Manifest", route: "Route", request: Request, params: dict[str, str]
    ) -> None:
        self.cloud = cloud
        self.manifest = manifest
        self.route = route
        self.request = request
        self.params = params
        self.context: Context = ANONYMOUS
        self.version = Version(0, 0)
        self.body: Any = None
        self.status = route.status
        self._db: Session | None = None
        self._after_commit: list[Callable[[], None]] = []

    @property
    def db(self) -> Session:
        if self._db is None:
            raise RuntimeError("streaming handlers open their own transactions: `with call.transaction() as db`")
        return self._db

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Session]:
        """For streaming handlers only: a short transaction around a part of the work."""
        with self.cloud.db.writing() if write else self.cloud.db.reading() as session:
            self._db = session
            try:
                yield session
            finally:
                self._db = None
        self.committed()

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.request.scope["query_string"].decode("latin-1"), keep_blank_values=True)

    def query_value(self, name: str) -> str | None:
        return next((value for key, value in reversed(self.query) if key == name), None)

    def at_least(self, major: int, minor: int) -> bool:
        return self.version >= (major, minor)

    def enforce(self, rule: str, target: Mapping[str, object] | None = None) -> None:
        """Raise Forbidden unless the caller may. The default target is the caller's own project."""
        self.cloud.policy.enforce(self.context, rule, self.own_target() if target is None else target)

    def allows(self, rule: str, target: Mapping[str, object] | None = None) -> bool:
        return self.cloud.policy.allows(self.context, rule, self.own_target() if target is None else target)

    def own_target(self) -> dict[str, object]:
        return {"project_id": self.context.project_id, "user_id": self.context.user_id}

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run once the transaction is durable: pokes on the bus, never anything that must happen."""
        self._after_commit.append(action)

    def poke(self, topic: str, method: str, **args: object) -> None:
        """Hint to a reconciler or agent that there is work; sent after the commit, may be lost."""
        self.after_commit(lambda: self.cloud.bus.cast(topic, method, args))

    def committed(self) -> None:
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            action()
        if self.manifest.written is not None and self.route.writes:
            self.manifest.written(self.cloud)

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """What is written inside is rolled back at the end, and what was to follow the commit does not: a trial."""
        actions = list(self._after_commit)
        with self.db.begin_nested() as savepoint:
            yield
            savepoint.rollback()
        self._after_commit[:] = actions

    def url(self, path: str = "") -> str:
        """The public address of something in this service."""
        return self.cloud.endpoint(self.manifest.name) + path
