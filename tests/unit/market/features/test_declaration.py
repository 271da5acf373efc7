import numpy as np
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.checks import MarketDataError
from crowdalpha.market.features import FEATURE_SETS, FEATURES, features_named
from crowdalpha.market.features.channels import change
from crowdalpha.market.features.declaration import over
from crowdalpha.market.features.view import LONGEST_SPAN, View
from crowdalpha.market.history import history_of
from crowdalpha.market.universe import WARM_UP_DAYS
from tests.fixtures.panels import panel_of


def move(view: View, days: int) -> FloatArray:
    return view.total(change, days)


def test_one_declaration_makes_a_feature_a_window() -> None:
    close = np.exp(np.arange(260.0))[:, None] ** 0.01
    features = over((5, 20), "move_{}", move, group="trend", extra=1, small=(5,))
    view = View(history_of(panel_of(close)), ends=np.array([259]))

    assert [(each.name, each.window, each.tier) for each in features] == [
        ("move_5", 6, "small"),
        ("move_20", 21, "all"),
    ]
    np.testing.assert_allclose([each.compute(view)[0, 0] for each in features], [0.05, 0.2])


def test_there_are_over_310_features_with_names_of_their_own_that_fit_the_warm_up() -> None:
    without_reports = [feature for feature in FEATURES if "filings" not in feature.needs]

    assert len(without_reports) >= 310
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
    assert max(feature.window for feature in FEATURES if not feature.years) <= min(WARM_UP_DAYS, LONGEST_SPAN)


def test_sets_are_nested_and_hold_something_of_every_group() -> None:
    small, medium, everything = (set(FEATURE_SETS[name]) for name in ("small", "medium", "all"))
    groups = {feature.group for feature in FEATURES}

    assert small < medium < everything
    assert (35 <= len(small) <= 50, 100 <= len(medium) <= 140) == (True, True)
    assert {feature.group for feature in FEATURES if feature.name in small} == groups


def test_features_are_found_by_name_and_others_refused() -> None:
    assert [each.name for each in features_named(["return_5", "momentum_60"])] == ["momentum_60", "return_5"]
    with pytest.raises(MarketDataError, match="'momentum_61'"):
        features_named(["momentum_61"])
