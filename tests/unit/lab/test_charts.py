from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from crowdalpha.lab import charts
from crowdalpha.lab.participants import ARCHETYPES
from crowdalpha.lab.record import SeasonRecord
from crowdalpha.lab.summary import archetype_results
from tests.fixtures.seasons import one_round, small_season, without_scores

SVG = "{http://www.w3.org/2000/svg}"


def profit_chart(record: SeasonRecord) -> str:
    return charts.profit_chart(archetype_results(record))


ALL = (
    charts.correlation_chart,
    charts.contribution_chart,
    profit_chart,
    charts.book_chart,
    charts.exposure_chart,
    charts.stake_chart,
)
every_chart = pytest.mark.parametrize("draw", ALL)


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  # our own drawing


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()).strip() for each in read(svg).iter(f"{SVG}text")]


@every_chart
def test_a_chart_is_one_svg_element_of_any_width_and_of_fixed_bytes(draw: Callable[[SeasonRecord], str]) -> None:
    svg = draw(small_season())
    root = read(svg)

    assert root.tag == f"{SVG}svg"
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    # The same record gives the same bytes.
    assert draw(small_season()) == svg


@every_chart
@pytest.mark.parametrize("change", [without_scores, one_round])
def test_what_is_not_known_breaks_no_chart(
    draw: Callable[[SeasonRecord], str], change: Callable[[SeasonRecord], SeasonRecord]
) -> None:
    svg = draw(change(small_season()))

    assert read(svg).tag == f"{SVG}svg"
    assert "nan" not in " ".join(texts(svg)).lower()


def test_the_legend_names_who_played_and_nobody_else() -> None:
    shown = texts(charts.correlation_chart(small_season()))

    assert {"ridge", "no skill", "meta model"} <= set(shown)
    assert "neural net" not in shown


def test_profit_comes_with_its_t_statistic() -> None:
    shown = texts(profit_chart(one_round(small_season())))

    assert shown.count("t = n/a") == 2


def test_the_unit_of_the_stakes_is_on_the_axis() -> None:
    assert "points at risk" in texts(charts.stake_chart(small_season()))


def test_every_archetype_has_its_own_colour() -> None:
    assert set(charts.COLOURS) == set(ARCHETYPES)
    assert len(set(charts.COLOURS.values())) == len(ARCHETYPES)
