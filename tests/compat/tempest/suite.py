"""A suite's tests in a folder: what there is, what is selected, and the run."""

import os
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.compat.tempest.environment import packages

STESTR = """\
[DEFAULT]
test_path={packages}/{tests}
top_dir={packages}
group_regex=([^\\.]*\\.)*
"""
END = 30  # seconds that the suite gets to end after it was asked to


def name(test: str) -> str:
    """A test's id without its attributes in brackets, which change between releases."""
    return re.sub(r"\[[^]]*\]", "", test).strip()


class Suite:
    """`folder` holds the suite's configuration, log and results; `environment` is where it is installed, `tests` where in that.

    `variables` are for its processes: by default those that lead tempest to its configuration.
    """

    def __init__(
        self,
        folder: Path,
        environment: Path,
        tests: str = "tempest/test_discover",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._stestr = environment / "bin" / "stestr"
        own = {"TEMPEST_CONFIG_DIR": str(folder / "etc"), "TEMPEST_CONFIG": "tempest.conf"}
        self._environment = os.environ | (own if variables is None else dict(variables))
        self._prefix = tests.partition("/")[0] + "."
        for part in ("etc", "lock"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / ".stestr.conf").write_text(STESTR.format(packages=packages(environment), tests=tests))
        if not (folder / ".stestr").exists():
            self._ask("init")

    def configure(self, text: str) -> None:
        conf = self.folder / "etc" / "tempest.conf"
        conf.touch(mode=0o600)
        conf.write_text(text)

    def tests(self) -> list[str]:
        """Every id that there is."""
        return [line for line in self._ask("list").splitlines() if line.startswith(self._prefix)]

    def run(self, tests: Iterable[str], workers: int, seconds: float) -> Iterator[str]:
        """The lines that the suite prints. When the time is over it is told to end, and the rest is not run.

        What tests and their servers say by the way goes to a file: written between two halves of a line it would hide a result.
        """
        chosen = self.folder / "chosen"
        chosen.write_text("".join(f"{test}\n" for test in tests))
        command = [str(self._stestr), "run", "--load-list", str(chosen), "--concurrency", str(workers)]
        with (
            (self.folder / "stderr").open("w") as aside,
            subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=aside,
                text=True,
                errors="replace",
                process_group=0,
            ) as process,
        ):
            timer = threading.Timer(seconds, _end, [process])
            timer.start()
            try:
                assert process.stdout is not None
                yield from process.stdout
            finally:
                timer.cancel()
                _end(process)

    def _ask(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._stestr), *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"stestr {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


def _end(process: "subprocess.Popen[str]") -> None:
    """The whole group: stestr's workers are children of its own."""
    if process.poll() is not None:
        return
    for number in (2, 9):
        os.killpg(process.pid, number)
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            continue
        return


def select(tests: Iterable[str], pattern: str | None, listed: Iterable[str] | None) -> tuple[list[str], list[str]]:
    """The ids chosen by a regular expression or by a list of names; and the listed names that tempest does not know."""
    known = {name(test): test for test in tests}
    if listed is not None:
        wanted = dict.fromkeys(name(line) for line in listed if line.strip() and not line.startswith("#"))
        return [known[one] for one in wanted if one in known], [one for one in wanted if one not in known]
    return [test for test in known.values() if re.search(pattern or "", test)], []
