import json

import numpy as np
import pytest

from crowdalpha.lab.summary import archetype_results, in_words, mean_t_stat, summary_of
from crowdalpha.lab.worth import known_mean
from tests.fixtures.seasons import one_round, small_season, without_scores


def test_without_overlap_it_is_the_t_statistic_of_a_mean() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])

    # Mean 3, variance with n below (4 + 1 + 0 + 9) / 4 = 3.5, standard error sqrt(3.5 / 4).
    assert mean_t_stat(values, overlap=0) == pytest.approx(3.0 / np.sqrt(3.5 / 4))


def test_one_lag_adds_its_bartlett_share() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])

    # Centred -2, -1, 0, 3: lag one sums to 2 + 0 + 0 = 2, over 4, weighed with 1 - 1/2, twice.
    long_run = 3.5 + 2 * 0.5 * 2 / 4
    assert mean_t_stat(values, overlap=1) == pytest.approx(3.0 / np.sqrt(long_run / 4))


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_it_is_undefined_without_spread(values: list[float]) -> None:
    assert np.isnan(mean_t_stat(np.array(values)))


def test_models_are_grouped_by_archetype_in_the_order_of_the_report() -> None:
    ridge, no_skill = archetype_results(small_season())

    assert (ridge.name, ridge.models, no_skill.name, no_skill.models) == ("ridge", 2, "no_skill", 1)
    # Means of .02 and .015, of .01 and .02.
    assert (ridge.mean_corr, ridge.mean_mmc) == pytest.approx((0.0175, 0.015))
    assert (no_skill.mean_corr, no_skill.mean_mmc) == pytest.approx((0.0, 0.0))
    # 20 + 0 - 10 + 20 on 300, and -5 on 50.
    assert (ridge.profit_per_stake, no_skill.profit_per_stake) == pytest.approx((0.1, -0.1))


def test_profit_is_tested_on_returns_a_round_and_one_without_stake_returns_nothing() -> None:
    ridge, no_skill = archetype_results(small_season())

    assert ridge.profit_t == pytest.approx(mean_t_stat(np.array([20 / 300, 0.0, -10 / 320, 20 / 310])))
    assert no_skill.profit_t == pytest.approx(mean_t_stat(np.array([0.0, -0.1, 5 / 45, -0.1])))


def test_summary_holds_the_figures_of_the_record() -> None:
    summary = summary_of(small_season())

    assert summary["meta_model"] == pytest.approx(
        {"corr_mean": 0.03, "corr_std": np.sqrt(2) / 100, "corr_sharpe": 3 / np.sqrt(2)}
    )
    # Means .02, .015 and 0: the best is the first, the median the second.
    assert summary["best_participant"] == {
        "name": "ann",
        "corr_mean": pytest.approx(0.02),
        "corr_std": pytest.approx(np.sqrt(2) / 100),
        "corr_sharpe": pytest.approx(np.sqrt(2)),
    }
    assert summary["median_participant"]["name"] == "bob"
    assert summary["payouts"] == {"paid": "50.000000000", "burned": "25.000000000", "unit": "points"}
    assert summary["ledger"] == {"transfers": 42, "sum_of_balances": 0}
    assert summary["checks"] == {"volume_unusable": 3}
    assert (summary["seed"], summary["rounds_resolved"], summary["participants"]) == (7, 4, 3)
    assert (summary["seconds"], summary["synthetic"]) == (12.3, True)


def test_summary_holds_the_extremes_of_the_book() -> None:
    assert summary_of(small_season())["portfolio"] == pytest.approx(
        {
            "annual_return": 0.1,
            "annual_volatility": 0.05,
            "sharpe": 2.0,
            "max_drawdown": 0.0098,
            "mean_turnover": 0.4,
            "max_abs_sector_exposure": 0.02,
            "max_abs_country_exposure": 0.01,
            "max_abs_market_exposure": 0.03,
        }
    )


def test_one_round_has_means_and_null_where_a_spread_is_needed() -> None:
    summary = json.loads(json.dumps(summary_of(one_round(small_season())), allow_nan=False))

    assert summary["meta_model"] == {"corr_mean": 0.03, "corr_std": 0.0, "corr_sharpe": None}
    assert summary["archetypes"]["ridge"]["profit_t"] is None
    assert summary["portfolio"]["sharpe"] is None


def test_models_without_scores_rank_last_and_hold_nobody_up() -> None:
    summary = json.loads(json.dumps(summary_of(without_scores(small_season())), allow_nan=False))

    # Left are .01, .01, .01 of the second and -.02, .02, -.02 of the third model.
    assert summary["best_participant"]["name"] == "bob"
    assert summary["median_participant"]["name"] == "cyd"
    assert summary["meta_model"] == {"corr_mean": None, "corr_std": None, "corr_sharpe": None}
    assert summary["archetypes"]["ridge"]["mean_corr"] == pytest.approx(0.01)


def test_the_mean_leaves_out_what_is_not_known() -> None:
    assert known_mean(np.array([[1.0, np.nan], [np.nan, 5.0]])) == 3.0
    assert np.isnan(known_mean(np.array([np.nan])))


@pytest.mark.parametrize(("value", "words"), [(0.1234, "+12.3%"), (None, "n/a"), (np.nan, "n/a"), (np.inf, "n/a")])
def test_what_is_not_defined_is_said_so(value: float | None, words: str) -> None:
    assert in_words(value, "+.1%") == words
