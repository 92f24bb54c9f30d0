"""Figures, and the Markdown they are printed as."""

from dataclasses import dataclass
from statistics import fmean, median


@dataclass(frozen=True)
class Figure:
    """One line of a part's table: the values of its runs in one unit, and what was going on.

    `others`: cores that neither cloud nor benchmark used, a run; `aim`: what the median is to stay under.
    """

    name: str
    unit: str
    values: list[float]
    others: list[float]
    aim: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return median(self.values)


COLUMNS = ("measure", "median", "lowest-highest", "runs", "aim", "other cores", "remark")


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(figures: list[Figure]) -> str:
    return grid(COLUMNS, [_cells(figure) for figure in figures])


def grid(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    met = figure.aim is not None and figure.median <= figure.aim
    return (
        figure.name,
        f"**{number(figure.median)} {figure.unit}**",
        f"{number(min(figure.values))}-{number(max(figure.values))}",
        str(len(figure.values)),
        "" if figure.aim is None else f"≤ {number(figure.aim)}: {'met' if met else 'missed'}",
        f"{fmean(figure.others):.2f}" if figure.others else "",
        figure.note,
    )
