from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release import ReleaseError
from crowdalpha.release.splits import Split, split_eras
from tests.fixtures.releases import small_market


def test_the_last_35_percent_are_validation_after_an_embargo_of_13_eras() -> None:
    # 0.35 * 100 = 35 eras of validation: 65..99; 52..64 are left out
    assert split_eras(small_market(n_eras=101, n_features=2), published=100) == Split(range(52), range(65, 100))


def test_the_embargo_grows_where_weeks_are_short() -> None:
    market = small_market(n_eras=101, n_features=2)
    short = replace(market, era_rows=3 * np.arange(101))

    # 62 days at three days a week are 20.67 weeks: the last training era is 65 - 21
    assert split_eras(short, published=100) == Split(range(45), range(65, 100))


def test_no_target_of_a_training_era_reaches_into_validation() -> None:
    market = small_market(n_eras=101, n_features=2)
    split = split_eras(market, published=100)

    assert market.era_rows[split.train[-1]] + 62 <= market.era_rows[split.validation[0]]


def test_the_live_era_is_in_neither_part() -> None:
    split = split_eras(small_market(n_features=2), published=55)

    assert 55 not in {*split.train, *split.validation}


def test_a_short_history_is_refused() -> None:
    with pytest.raises(ReleaseError, match="era 0021 has only 20 eras before it"):
        split_eras(small_market(n_features=2), published=20)


@pytest.mark.parametrize("published", [-1, 60])
def test_an_era_that_does_not_exist_is_refused(published: int) -> None:
    with pytest.raises(ReleaseError, match="eras are 0 to 59"):
        split_eras(small_market(n_features=2), published=published)
