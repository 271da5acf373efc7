"""Small charts as numbers for a template to draw as SVG: no script, no library, the same for the same values."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from crowdalpha.rules.fixed import QUANTUM

__all__ = ["Bar", "Chart", "Tick", "bars", "steps"]

WIDTH, HEIGHT = 480.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 472.0, 10.0, 148.0
BAR_SHARE, WIDEST, LETTER = 0.72, 26.0, 11.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One value: a rectangle from the line of zero, and what it says when it is pointed at."""

    x: float
    y: float
    width: float
    height: float
    is_up: bool
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number beside the chart, and the height that it stands for."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template draws; `first` and `last` name the ends of the axis, `line` is one of points."""

    bars: tuple[Bar, ...]
    line: str
    ticks: tuple[Tick, ...]
    zero: float
    first: str
    last: str


def bars(labels: Sequence[str], scores: Sequence[int | None]) -> Chart | None:
    """Draw recorded scores, in 1e-9, as bars; None if there is none. An undefined score leaves a gap."""
    values = [None if each is None else each / QUANTUM for each in scores]
    known = [each for each in values if each is not None]
    if not known:
        return None
    low, high = _range(known)
    step = (RIGHT - LEFT) / len(values)
    width = min(step * BAR_SHARE, WIDEST)
    zero = _height(0.0, low, high)
    drawn = []
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        if value is None:
            continue
        y = _height(value, low, high)
        x = LEFT + (place + 0.5) * step - width / 2
        drawn.append(
            Bar(
                round(x, 2),
                min(y, zero),
                round(width, 2),
                round(abs(y - zero), 2),
                value >= 0,
                f"{label}: {value:+.4f}",
            )
        )
    return Chart(tuple(drawn), "", _ticks(low, high), zero, labels[0], labels[-1])


def steps(changes: Sequence[tuple[int, int]], *, scale: int) -> Chart | None:
    """Draw the sum of changes of money, in base units by round, as a line; None if there is none."""
    if not changes:
        return None
    sums = [base / 10**scale for base in accumulate(change for _, change in changes)]
    low, high = _range(sums)
    step = (RIGHT - LEFT) / max(len(sums), 1)
    points = [(LEFT, 0.0), *((LEFT + (place + 1) * step, value) for place, value in enumerate(sums))]
    line = " ".join(f"{x:.2f},{_height(value, low, high):.2f}" for x, value in points)
    zero = _height(0.0, low, high)
    return Chart((), line, _ticks(low, high), zero, str(changes[0][0]), str(changes[-1][0]))


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Give the ends of the axis, with zero on it."""
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _height(value: float, low: float, high: float) -> float:
    return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 2)


def _ticks(low: float, high: float) -> tuple[Tick, ...]:
    """Put a number at zero and at each end that is not so near to zero that the two would overlap."""
    ticks = (Tick(_height(value, low, high), f"{value:.3g}") for value in sorted({low, 0.0, high}))
    zero = _height(0.0, low, high)
    return tuple(tick for tick in ticks if tick.y == zero or abs(tick.y - zero) > LETTER)
