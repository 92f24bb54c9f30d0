"""`pileus logs`: what the roles wrote."""

import argparse
import sys
import time
from collections import deque
from pathlib import Path

from pileus.roles.state import default_folder


def logs(options: argparse.Namespace) -> int:
    folder = (options.state or default_folder()).absolute() / "log"
    files = sorted(folder.glob(f"{options.role}.log" if options.role else "*.log"))
    if not files:
        print(f"pileus: nothing in {folder}", file=sys.stderr)
        return 1
    for file in files:
        with file.open(errors="replace") as lines:
            sys.stdout.writelines(deque(lines, options.lines))
    if options.follow:
        _follow(files)
    return 0


def _follow(files: list[Path]) -> None:
    opened = [file.open(errors="replace") for file in files]
    for lines in opened:
        lines.seek(0, 2)
    try:
        while True:
            for lines in opened:
                sys.stdout.writelines(lines)
            sys.stdout.flush()
            time.sleep(0.3)
    except KeyboardInterrupt:
        pass
    finally:
        for lines in opened:
            lines.close()
