"""One stream of data into several stores at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from pileus.image.drivers.base import Sink, StoreFailed, StoreFull


class FanOut:
    """A sink for each name. A store that fails is left out from then on, and its data aborted; when none is left, that is an error.

    A context: at its end, whatever was not committed is aborted.
    """

    def __init__(self, sinks: Mapping[str, Sink], failures: Mapping[str, Exception]) -> None:
        self._sinks = dict(sinks)
        self._committed: set[str] = set()
        self.failures = dict(failures)
        self._threads = ThreadPoolExecutor(max(1, len(sinks)), "image-store")

    @property
    def committed(self) -> set[str]:
        return set(self._committed)

    def write(self, block: bytes) -> None:
        self._each(lambda sink: sink.write(block))

    def commit(self) -> None:
        self._each(lambda sink: sink.commit())
        self._committed = set(self._sinks)

    def abort(self) -> None:
        self._committed.clear()
        for sink in self._sinks.values():
            sink.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown()
        if not self._committed:
            self.abort()

    def _each(self, act: Callable[[Sink], None]) -> None:
        """All at once; the slowest decides."""
        if len(self._sinks) == 1:
            [(name, sink)] = self._sinks.items()
            self._try(name, sink, act)
        else:
            running = [self._threads.submit(self._try, name, sink, act) for name, sink in self._sinks.items()]
            for future in running:
                future.result()
        for name in self.failures.keys() & self._sinks.keys():
            del self._sinks[name]
        if not self._sinks:
            raise next(reversed(self.failures.values()))

    def _try(self, name: str, sink: Sink, act: Callable[[Sink], None]) -> None:
        try:
            act(sink)
        except (StoreFull, StoreFailed, OSError) as error:
            self.failures[name] = error
            sink.abort()
