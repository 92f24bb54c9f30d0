"""A pytest plugin (`-p tests.compat.coverage.recorder --calls FILE`): notes which test called which operation, and the status.

A call is noted under the template of the route that answered it. What no route answers is noted only where the path has other
methods (405), under the template of those.
"""

import json
from pathlib import Path
from typing import Any

import pytest

DEFAULT = Path(".pytest_cache") / "calls.json"


class Recorder:
    """`calls`: operation -> test -> statuses."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.test = ""
        self.calls: dict[str, dict[str, set[int]]] = {}

    def watch(self) -> None:
        """Wrap the application's one door."""
        from pileus.kernel.http.app import App

        app: Any = App
        respond = app.respond

        async def noted(it: Any, request: Any) -> Any:
            response = await respond(it, request)
            self.note(it, request.method, request.scope["path"], response.status_code)
            return response

        app.respond = noted

    def note(self, app: Any, method: str, path: str, status: int) -> None:
        owner = app._manifest_of(path)
        found = app.tree.find(path, ("HEAD", "GET") if method == "HEAD" else (method,))
        if found is None or owner is None or not self.test:
            return
        methods = found[0].methods
        answering = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        if answering is None and status != 405:
            return
        template = (answering or next(iter(methods.values())))[0].route.path
        self.calls.setdefault(f"{owner.name} {method} {template}", {}).setdefault(self.test, set()).add(status)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self.test = item.nodeid
        try:
            return (yield)
        finally:
            self.test = ""

    def pytest_sessionfinish(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        found = {
            operation: {test: sorted(statuses) for test, statuses in sorted(tests.items())}
            for operation, tests in sorted(self.calls.items())
        }
        self.file.write_text(json.dumps(found, indent=1) + "\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--calls", type=Path, default=DEFAULT, help="where the calls of the tests are noted")


def pytest_configure(config: pytest.Config) -> None:
    recorder = Recorder(config.getoption("--calls"))
    recorder.watch()
    config.pluginmanager.register(recorder, "calls")
