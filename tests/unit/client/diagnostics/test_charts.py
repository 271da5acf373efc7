from xml.etree import ElementTree as ET

import numpy as np
import pytest

from crowdalpha.client.diagnostics.charts import Line, bar_chart, exposure_chart, line_chart
from tests.fixtures.diagnoses import figures

ERAS = ["0001", "0002", "0003"]


def points(element: ET.Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in (element.get("points") or "").split())
    return [(float(x), float(y)) for x, y in pairs]


def texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter("text")]


def test_a_line_rises_where_its_values_do_and_skips_gaps() -> None:
    picture = line_chart(ERAS, [Line("CORR", np.array([0.1, np.nan, 0.3]), "#000")])
    (line,) = picture.iter("polyline")
    (first_x, first_y), (last_x, last_y) = points(line)

    assert last_x > first_x
    assert last_y < first_y  # up is less
    assert "0002" in texts(picture)


def test_lines_are_named_when_there_is_more_than_one() -> None:
    lines = [Line(name, np.array([0.1, -0.1, 0.2]), "#000") for name in ("CORR", "FNC")]

    assert {"CORR", "FNC"} <= set(texts(line_chart(ERAS, lines)))
    assert "CORR" not in texts(line_chart(ERAS, lines[:1]))


def test_a_filled_line_ends_at_zero() -> None:
    (area,) = line_chart(ERAS, [Line("fall", np.array([0.0, -0.2, -0.1]), "#000")], fill=True).iter("polygon")

    assert points(area)[0][1] == points(area)[-1][1] == points(area)[1][1]


def test_bars_have_the_height_and_colour_of_their_sign() -> None:
    bars = list(bar_chart(ERAS, np.array([0.1, np.nan, -0.2])).iter("rect"))
    heights = [float(bar.get("height") or 0) for bar in bars]

    assert len(bars) == 2
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert bars[0].get("fill") != bars[1].get("fill")
    assert [bar.findtext("title") for bar in bars] == ["era 0001: +0.1000", "era 0003: -0.2000"]


def test_features_have_a_bar_and_a_dot_each() -> None:
    picture = exposure_chart(figures(exposure=0.2).exposures)
    bars, dots = list(picture.iter("rect")), list(picture.iter("circle"))

    assert len(bars) == len(dots) == 3
    assert "feature_a" in texts(picture)
    assert float(dots[0].get("cx") or 0) > float(bars[0].get("x") or 0) + float(bars[0].get("width") or 0)


@pytest.mark.parametrize("values", [[0.0], [np.nan], [np.nan, np.nan]])
def test_charts_of_next_to_nothing_are_drawn(values: list[float]) -> None:
    eras, numbers = ERAS[: len(values)], np.array(values)

    assert line_chart(eras, [Line("CORR", numbers, "#000")]).tag == "svg"
    assert bar_chart(eras, numbers).tag == "svg"
    assert exposure_chart([]).tag == "svg"
