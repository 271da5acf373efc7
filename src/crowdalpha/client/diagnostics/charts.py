"""Small charts as SVG elements: lines and bars over eras, and bars with whiskers by feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.etree import ElementTree as ET

import numpy as np

from crowdalpha.client.diagnostics.figures import FeatureExposure
from crowdalpha.client.diagnostics.rows import FloatArray

__all__ = ["Line", "bar_chart", "exposure_chart", "line_chart"]

WIDTH, HEIGHT = 920.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 26.0, 24.0
ROW = 21.0
NAMES = 250.0
TICKS = 4
MARGIN = 1.06
INK, SOFT, GRID, MAIN, BAD = "#1c2733", "#5b6875", "#e9edf0", "#1f5fa8", "#c2185b"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A named line: one number an era, NaN where there is none."""

    name: str
    values: FloatArray
    colour: str
    width: float = 1.8


@dataclass(frozen=True, slots=True)
class _Scale:
    """Numbers from `low` to `high` on a stretch of the picture."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def line_chart(eras: Sequence[str], lines: Sequence[Line], *, fill: bool = False) -> ET.Element:
    """Draw lines over the eras, zero among the heights shown.

    Parameters
    ----------
    eras : sequence of str
        Labels, in order.
    lines : sequence of Line
        At least one; each with as many values as there are eras.
    fill : bool, default=False
        Whether to fill between the first line and zero.

    Returns
    -------
    Element
        An `svg`.
    """
    picture, across, up = _axes(eras, np.concatenate([line.values for line in lines]))
    if fill:
        corners = [(across(0), up(0.0)), *_points(lines[0], across, up), (across(len(eras) - 1), up(0.0))]
        _add(picture, "polygon", points=_path(corners), fill=lines[0].colour, fill_opacity="0.18")
    for line in lines:
        points = _path(_points(line, across, up))
        _add(picture, "polyline", points=points, fill="none", stroke=line.colour, stroke_width=f"{line.width:g}")
    if len(lines) > 1:
        _legend(picture, [(line.name, line.colour) for line in lines])
    return picture


def bar_chart(eras: Sequence[str], values: FloatArray) -> ET.Element:
    """Draw one bar an era, losses in another colour.

    Parameters
    ----------
    eras : sequence of str
        Labels, in order.
    values : ndarray of shape (n_eras,)
        Heights; NaN is no bar.

    Returns
    -------
    Element
        An `svg`.
    """
    picture, across, up = _axes(eras, values)
    width = max(0.6, 0.8 * (WIDTH - LEFT - RIGHT) / len(eras))
    for era, value in enumerate(values.tolist()):
        if np.isnan(value):
            continue
        bar = _add(
            picture,
            "rect",
            x=f"{across(era) - width / 2:.1f}",
            y=f"{min(up(value), up(0.0)):.1f}",
            width=f"{width:.1f}",
            height=f"{abs(up(value) - up(0.0)):.1f}",
            fill=MAIN if value >= 0 else BAD,
        )
        _add(bar, "title").text = f"era {eras[era]}: {value:+.4f}"
    return picture


def exposure_chart(exposures: Sequence[FeatureExposure]) -> ET.Element:
    """Draw the mean exposure to each feature, with a mark at its largest.

    Parameters
    ----------
    exposures : sequence of FeatureExposure
        Features to show, from the top.

    Returns
    -------
    Element
        An `svg`.
    """
    height = TOP + ROW * len(exposures) + BOTTOM
    picture = _picture(height)
    reach = max((abs(each.largest) for each in exposures), default=0.0) * MARGIN or 1.0
    across = _Scale(-reach, reach, NAMES, WIDTH - RIGHT)
    for tick in _ticks(-reach, reach):
        _add(picture, "line", **_ends(across(tick), TOP, across(tick), height - BOTTOM), stroke=GRID)
        _text(picture, f"{tick:+.2g}" if tick else "0", across(tick), height - 6, anchor="middle")
    for place, each in enumerate(exposures):
        middle = TOP + ROW * (place + 0.5)
        _text(picture, each.feature, NAMES - 8, middle + 4, anchor="end", colour=INK)
        left, right = sorted((across(0.0), across(each.mean)))
        box = {"x": f"{left:.1f}", "y": f"{middle - 6:.1f}", "width": f"{right - left:.1f}", "height": "12"}
        bar = _add(picture, "rect", **box, fill=MAIN if each.mean >= 0 else BAD)
        _add(bar, "title").text = f"{each.feature}: mean {each.mean:+.3f}, largest {each.largest:+.3f}"
        _add(picture, "circle", cx=f"{across(each.largest):.1f}", cy=f"{middle:.1f}", r="3", fill=INK)
    _add(picture, "line", **_ends(across(0.0), TOP, across(0.0), height - BOTTOM), stroke=INK, stroke_width="0.8")
    return picture


def _axes(eras: Sequence[str], values: FloatArray) -> tuple[ET.Element, _Scale, _Scale]:
    """Draw the frame of a chart over eras, and give its two scales."""
    known = values[np.isfinite(values)]
    low, high = min(0.0, float(known.min(initial=0.0))), max(0.0, float(known.max(initial=0.0)))
    if low == high:
        high = 1.0
    picture = _picture(HEIGHT)
    across = _Scale(0.0, max(len(eras) - 1.0, 1.0), LEFT + 4, WIDTH - RIGHT)
    up = _Scale(low, high, HEIGHT - BOTTOM, TOP)
    for tick in _ticks(low, high):
        _add(picture, "line", **_ends(LEFT, up(tick), WIDTH - RIGHT, up(tick)), stroke=GRID)
        _text(picture, f"{tick:.3g}" if tick else "0", LEFT - 7, up(tick) + 4, anchor="end")
    for era in sorted({round(share * (len(eras) - 1)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)}):
        anchor = "start" if era == 0 else "end" if era == len(eras) - 1 else "middle"
        _text(picture, eras[era], across(era), HEIGHT - 6, anchor=anchor)
    _add(picture, "line", **_ends(LEFT, up(0.0), WIDTH - RIGHT, up(0.0)), stroke=INK, stroke_width="0.8")
    return picture, across, up


def _points(line: Line, across: _Scale, up: _Scale) -> list[tuple[float, float]]:
    return [(across(era), up(value)) for era, value in enumerate(line.values.tolist()) if np.isfinite(value)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _ticks(low: float, high: float) -> list[float]:
    """Give round numbers inside a range."""
    rough = (high - low) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough)
    return [step * count for count in range(ceil(low / step), floor(high / step) + 1)]


def _picture(height: float) -> ET.Element:
    return ET.Element("svg", {"viewBox": f"0 0 {WIDTH:g} {height:g}", "role": "img"})


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {name.replace("_", "-"): value for name, value in attributes.items()})


def _ends(x1: float, y1: float, x2: float, y2: float) -> dict[str, str]:
    return {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}


def _text(parent: ET.Element, text: str, x: float, y: float, *, anchor: str, colour: str = SOFT) -> None:
    _add(parent, "text", x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, fill=colour).text = text


def _legend(picture: ET.Element, names: Sequence[tuple[str, str]]) -> None:
    x = LEFT + 4
    for name, colour in names:
        _add(picture, "line", **_ends(x, 10, x + 18, 10), stroke=colour, stroke_width="3")
        _text(picture, name, x + 23, 14, anchor="start", colour=INK)
        x += 23 + 6.6 * len(name) + 18
