"""Upstream beside us: the program that measured upstream measures a cloud of fakes, and the CPU of each operation is compared."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.clouds import cloud, lift_quotas
from bench.figures import grid, number

FIGURES = Path(__file__).with_name("upstream.json")
ROWS = ("mem", "idle", "identity", "detail0", "single", "lists", "ports", "detail100", "detail1000")
COLUMNS = (
    "operation",
    "upstream CPU ms",
    "Pileus CPU ms",
    "upstream / Pileus",
    "upstream p50 ms",
    "Pileus p50 ms",
    "other cores",
    "errors",
)


def measure(driver: Path, runs: int, within: float) -> str:
    """A table. After `within` seconds the driver is ended; what it had measured by then is printed."""
    upstream = json.loads(FIGURES.read_text())
    theirs: dict[str, dict[str, float]] = upstream["operations"]
    with cloud("--fake") as running:
        lift_quotas(running)
        out = running.state.parent / "ours.json"
        options = ["--label", "ours", "--runs", str(runs), "--secs", "1.5", "--idle-s", "10"]
        options += ["--out", str(out), "--tmp", str(out.parent), "--proc-match", str(running.state)]
        ended = ""
        try:
            subprocess.run(
                [sys.executable, str(driver), *options, *ROWS],
                env=os.environ | _credentials(running.state / "openrc"),
                stdout=sys.stderr,
                timeout=within,
                check=True,
            )
        except subprocess.TimeoutExpired:
            ended = f"\n\nEnded after {within:.0f} s: rows are missing."
        ours = json.loads(out.read_text())["ours"] if out.exists() else {}
    rows = [_row(name, theirs[name], ours[name]) for name in theirs if name in ours]
    failed = "".join(f"\n\n{name}: {why}" for name, why in ours.items() if name.endswith("FAILED"))
    return (
        f"{grid(COLUMNS, rows)}{ended}{failed}\n\n{_whole(upstream['whole'], ours)}\n\nUpstream: {upstream['source']}."
    )


def _whole(theirs: dict[str, float], ours: dict[str, Any]) -> str:
    memory, idle = ours.get("memory", {}), ours.get("idle_cpu", {})
    return (
        f"All processes after a few requests: upstream {theirs['idle_memory_pss_mb']:.0f} MB (PSS) in {theirs['processes']}, "
        f"Pileus {memory.get('pss_mb')} MB in {memory.get('processes')}. CPU while idle: upstream {theirs['idle_cpu_percent']} % "
        f"of a core, Pileus {idle.get('percent_of_one_core')} %."
    )


def _credentials(openrc: Path) -> dict[str, str]:
    words = (line.removeprefix("export ").partition("=") for line in openrc.read_text().splitlines())
    return {name: value for name, _, value in words}


def _row(name: str, theirs: dict[str, float], ours: dict[str, Any]) -> tuple[str, ...]:
    """`cpu` and `p50` of upstream are in ms, as the file says."""
    cpu, p50 = _ours(ours)
    ratio = f"{theirs['cpu'] / cpu:.1f}" if cpu and "cpu" in theirs else ""
    return (
        name,
        number(theirs["cpu"]) if "cpu" in theirs else "",
        number(cpu) if cpu is not None else "",
        ratio,
        number(theirs["p50"]) if "p50" in theirs else "",
        number(p50) if p50 is not None else "",
        str(ours.get("foreign_cores", "")),
        str(ours.get("errors", "")).replace("|", " ")[:120],
    )


def _ours(row: dict[str, Any]) -> tuple[float | None, float | None]:
    if "cpu_s_per_cycle" in row:
        return 1000 * row["cpu_s_per_cycle"], 1000 * row["active_p50_s"]
    return row.get("cpu_ms_per_op"), row.get("p50_ms")
