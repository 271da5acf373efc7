import numpy as np

from crowdalpha.market.features import FEATURES, features_named
from crowdalpha.market.findings import note_empty_features, note_empty_sectors, usable_features
from tests.fixtures.panels import panel_of

CLOSE = np.ones((3, 2))


def test_features_that_need_what_is_not_there_are_left_out() -> None:
    panel = panel_of(CLOSE, volume=CLOSE, sector=("Energy", "Utilities"))
    usable, finding = usable_features(panel, FEATURES, filings=None)
    lacking = {"open", "high", "low", "countries", "filings"}

    assert usable == tuple(feature for feature in FEATURES if not lacking & set(feature.needs) and not feature.years)
    assert finding is not None
    assert (finding.rule, finding.count) == ("feature_unusable", len(FEATURES) - len(usable))


def test_features_of_more_years_than_the_panel_has_are_left_out() -> None:
    """Weekdays from 2015-01-05: 522 of them are two years less three days, 523 are up to 2017-01-05."""
    wanted = features_named(["return_5", "same_month_2_years", "same_month_3_years", "same_month_5_years"])
    short, finding = usable_features(panel_of(np.ones((522, 2))), wanted, filings=None)
    longer, _ = usable_features(panel_of(np.ones((524, 2))), wanted, filings=None)

    assert [feature.name for feature in short] == ["return_5", "same_month_2_years"]
    assert [feature.name for feature in longer] == ["return_5", "same_month_2_years", "same_month_3_years"]
    assert finding is not None
    assert (finding.count, finding.example) == (2, "same_month_3_years needs 2 years of prices")


def test_nothing_is_found_where_nothing_lacks() -> None:
    panel = panel_of(CLOSE)
    prices_alone = [feature for feature in FEATURES if feature.needs == ("close",) and not feature.years]

    assert usable_features(panel, prices_alone, filings=None) == (tuple(prices_alone), None)
    assert note_empty_features(FEATURES[:1], [np.zeros((1, 2, 1), dtype=np.float32)]) is None
    assert note_empty_sectors(panel, np.array([1]), np.ones((1, 2), dtype=bool)) is None


def test_features_without_a_value_in_any_probe_are_counted() -> None:
    probe = np.full((1, 2, 3), np.nan, dtype=np.float32)
    other = probe.copy()
    other[0, 1, 1] = 1.0
    finding = note_empty_features(FEATURES[:3], [probe, other])

    assert finding is not None
    assert (finding.count, finding.example) == (2, FEATURES[0].name)


def test_eras_without_a_sector_that_was_there_are_counted() -> None:
    panel = panel_of(CLOSE, sector=("Energy", "Utilities"))
    universe = np.array([[True, False], [True, True], [True, False]])
    finding = note_empty_sectors(panel, np.array([0, 1, 2]), universe)

    assert finding is not None
    assert (finding.count, finding.example) == (1, "Utilities on 2015-01-07")
