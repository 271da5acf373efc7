import pytest

from crowdalpha.server.web.charts import bars, steps


def test_bars_stand_on_zero_and_gaps_stay_empty() -> None:
    drawn = bars(["1", "2", "3"], [200_000_000, None, -100_000_000])

    assert drawn is not None
    up, down = drawn.bars
    assert (up.is_up, down.is_up) == (True, False)
    assert up.y + up.height == pytest.approx(drawn.zero)
    assert down.y == pytest.approx(drawn.zero)
    assert up.height == pytest.approx(2 * down.height, abs=0.02)
    assert (up.label, down.label) == ("1: +0.2000", "3: -0.1000")
    assert [tick.text for tick in drawn.ticks] == ["-0.1", "0", "0.2"]


def test_an_end_of_the_axis_beside_zero_is_not_numbered() -> None:
    drawn = bars(["1", "2"], [1_000_000, -300_000_000])

    assert drawn is not None
    assert [tick.text for tick in drawn.ticks] == ["-0.3", "0"]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_nothing_known_is_no_chart(values: list[int | None]) -> None:
    assert bars([str(place) for place in range(len(values))], values) is None
    assert steps([], scale=9) is None


def test_scores_of_zero_are_a_chart_too() -> None:
    drawn = bars(["1"], [0])

    assert drawn is not None
    assert drawn.bars[0].height == 0


def test_steps_add_up_from_zero() -> None:
    drawn = steps([(4, 2_000_000), (5, -1_000_000)], scale=6)

    assert drawn is not None
    heights = [float(point.split(",")[1]) for point in drawn.line.split()]
    assert heights[0] == drawn.zero
    assert drawn.zero - heights[1] == pytest.approx(2 * (drawn.zero - heights[2]), abs=0.02)
    assert (drawn.first, drawn.last) == ("4", "5")
