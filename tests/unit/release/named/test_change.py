import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.release.named import Change, measure_change, submitted_era
from tests.fixtures.named import wide_universe

UNIVERSE = wide_universe(120)
RNG = np.random.default_rng(8)
BEFORE, NOW = RNG.uniform(size=(2, 120))


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # the reference on a newer pandas
def test_churn_and_turnover_are_those_of_the_reference() -> None:
    pandas, signals = pytest.importorskip("pandas"), pytest.importorskip("numerai_tools.signals")
    ids = pandas.Index(UNIVERSE.live_ids, name="numerai_ticker")
    weights = pandas.Series(UNIVERSE.sample_weights, index=ids)
    factors = pandas.DataFrame(UNIVERSE.neutralizers, index=ids)
    before, now = (pandas.Series(values, index=ids, name="signal") for values in (BEFORE, NOW))
    churn, turnover = signals.calculate_max_churn_and_turnover(
        now, factors, weights, {"1": before}, {"1": factors}, {"1": weights}
    )
    change = measure_change(submitted_era(UNIVERSE, NOW), [submitted_era(UNIVERSE, BEFORE)])

    assert [change.churn, change.turnover] == pytest.approx([churn * 1e9, turnover * 1e9], rel=0, abs=1)


def test_the_same_submission_changes_nothing() -> None:
    change = measure_change(submitted_era(UNIVERSE, NOW), [submitted_era(UNIVERSE, NOW)], max_churn=0.15)

    assert (change.churn, change.turnover, change.within_limits) == (0, 0, True)


def test_the_worst_of_the_earlier_submissions_counts() -> None:
    eras = [submitted_era(UNIVERSE, values) for values in (NOW, 1 - NOW)]

    assert measure_change(submitted_era(UNIVERSE, NOW), eras).churn == 2 * 10**9


@pytest.mark.parametrize(("limit", "within"), [(None, True), (0.5, False), (0.500000001, True)])
def test_a_limit_that_is_reached_is_broken(limit: float | None, within: bool) -> None:  # noqa: FBT001  # a table
    change = Change(1, 500_000_000, 0, None if limit is None else round(limit * 1e9), None)

    assert change.within_limits is within
    assert ("not at risk" in change.verdict) is not within


def test_a_model_that_sat_out_counts_as_changed_and_a_first_round_does_not() -> None:
    current = submitted_era(UNIVERSE, NOW)
    sat_out = measure_change(current, [], max_turnover=0.25)
    first = measure_change(current, None, max_turnover=0.25)

    assert (sat_out.churn, sat_out.turnover, sat_out.within_limits) == (10**9, 10**9, False)
    assert "nothing to compare with" in sat_out.verdict
    assert (first.churn, first.turnover, first.within_limits) == (0, 0, True)


def test_a_gap_counts_as_the_middle() -> None:
    gap, middle = BEFORE.copy(), BEFORE.copy()
    gap[3] = np.nan
    middle[3] = np.median(np.delete(BEFORE, 3))
    eras = [submitted_era(UNIVERSE, NOW)]

    assert measure_change(submitted_era(UNIVERSE, gap), eras).churn == pytest.approx(
        measure_change(submitted_era(UNIVERSE, middle), eras).churn, abs=1
    )


def test_values_must_fit_the_universe() -> None:
    with pytest.raises(InputError, match="120 live assets"):
        submitted_era(UNIVERSE, NOW[:5])
