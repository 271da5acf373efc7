import numpy as np
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.checks import MarketDataError
from crowdalpha.market.features import FEATURES, Feature, compute_features
from crowdalpha.market.features.channels import close
from crowdalpha.market.features.source import ComputedFeatures, StoredFeatures
from crowdalpha.market.features.view import View
from crowdalpha.market.prices import PricePanel, read_panel
from tests.fixtures.panels import panel_of, random_panel

CLOSE = np.arange(1.0, 521.0).reshape(260, 2)


@pytest.fixture(scope="module")
def gaps() -> PricePanel:
    files = random_panel(n_assets=12, n_days=340, seed=3, countries=("GB", "US"), missing=0.05)
    return read_panel(files.prices, files.universe)


def last_close(view: View) -> FloatArray:
    return view.last(close)


def one_over_zero(view: View) -> FloatArray:
    return np.full(view.last(close).shape, np.inf)


def test_values_outside_the_universe_and_infinities_are_missing() -> None:
    features = [
        Feature("last", group="trend", window=1, needs=("close",), compute=last_close),
        Feature("broken", group="trend", window=1, needs=("close",), compute=one_over_zero),
    ]
    values = compute_features(panel_of(CLOSE), features, era_rows=np.array([255]), member=np.array([[True, False]]))

    np.testing.assert_array_equal(values[0], [[511.0, np.nan], [np.nan, np.nan]])


def test_no_block_and_no_thread_changes_a_bit(gaps: PricePanel) -> None:
    rows = np.arange(254, 340, 5)
    member = np.ones((len(rows), 12), dtype=bool)
    whole = compute_features(gaps, FEATURES, era_rows=rows, member=member, threads=3)
    alone = compute_features(gaps, FEATURES, era_rows=rows[7:8], member=member[7:8], threads=1)

    np.testing.assert_array_equal(whole[7:8], alone)


def test_progress_ends_with_all() -> None:
    told: list[float] = []
    rows, member = np.array([253, 255]), np.ones((2, 2), dtype=bool)
    compute_features(panel_of(CLOSE), [], era_rows=rows, member=member, progress=told.append)

    assert told == [1.0]


def test_an_era_without_a_year_before_it_is_refused() -> None:
    with pytest.raises(MarketDataError, match="day 250 has no 252 days"):
        compute_features(panel_of(CLOSE), [], era_rows=np.array([250]), member=np.ones((1, 2), dtype=bool))


def test_sources_give_the_eras_asked_for(gaps: PricePanel) -> None:
    rows, member = np.arange(254, 340, 5), np.ones((18, 12), dtype=bool)
    computed = ComputedFeatures(gaps, FEATURES[:3], era_rows=rows, universe=member)
    stored = StoredFeatures(computed.block(0, 18))

    np.testing.assert_array_equal(computed.block(4, 6), stored.block(4, 6))
    assert computed.block(4, 4).shape == (0, 12, 3)
