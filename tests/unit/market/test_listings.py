from dataclasses import replace

import numpy as np

from crowdalpha.market.listings import note_duplicated_listings, note_survivors
from tests.fixtures.panels import panel_of


def walks(n_days: int, n_assets: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(0)
    return 50 * np.exp(np.cumsum(rng.normal(0, 0.01, (n_days, 1)) + rng.normal(0, 0.01, (n_days, n_assets)), axis=0))


def test_a_listing_under_two_tickers_is_found_at_any_price_and_with_gaps() -> None:
    close = walks(120, 5)
    close[:, 4] = 3.0 * close[:, 1]
    close[::9, 4] = np.nan
    finding = note_duplicated_listings(panel_of(close))

    assert (finding.count, finding.example) == (1, "T0001 and T0004")


def test_share_classes_that_differ_are_two() -> None:
    close = walks(120, 5)
    close[:, 4] = close[:, 1] * np.exp(np.random.default_rng(1).normal(0, 0.001, 120))

    assert note_duplicated_listings(panel_of(close)).count == 0


def test_fifty_nine_common_days_are_too_few_and_stale_prices_no_proof() -> None:
    close = walks(120, 5)
    close[:, 4] = close[:, 1]
    close[60:, 4] = np.nan
    assert note_duplicated_listings(panel_of(close)).count == 0
    assert note_duplicated_listings(panel_of(np.ones((120, 2)))).count == 0


def test_a_market_that_nobody_leaves_is_noted_by_country() -> None:
    close = np.ones((600, 300))
    close[500:, 290:] = np.nan
    country = np.array(["GB"] * 150 + ["US"] * 150)
    finding = note_survivors(replace(panel_of(close), country=country))

    # ten of 150 in 2.3 years are more than 1 % a year
    assert (finding.count, finding.example) == (150, "GB: 0 of 150 names end in 2 years")


def test_a_short_or_small_market_is_not_judged() -> None:
    # 522 business days are two years
    assert note_survivors(panel_of(np.ones((515, 400)))).count == 0
    # 2.3 years of 130 names are 299
    assert note_survivors(panel_of(np.ones((600, 130)))).count == 0
    assert note_survivors(panel_of(np.ones((600, 131)))).count == 131


def test_a_country_whose_file_ends_early_has_lost_no_names() -> None:
    close = np.ones((1200, 400))
    close[600:, 200:] = np.nan
    country = np.array(["GB"] * 200 + ["US"] * 200)

    assert note_survivors(replace(panel_of(close), country=country)).count == 400
