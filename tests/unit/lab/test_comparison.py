from pathlib import Path

import polars as pl
import pytest

from crowdalpha.ensemble import METHODS
from crowdalpha.errors import InputError
from crowdalpha.lab.comparison import compare_season
from tests.fixtures.evidence import N_MODELS, season_folder


def test_every_method_is_compared_on_what_the_folder_holds(tmp_path: Path) -> None:
    found = compare_season(season_folder(tmp_path, n_rounds=12))

    assert (found.rounds, found.models, found.lag, found.left_out) == (12, N_MODELS, 5, 5)
    assert [each.method for each in found.results] == list(METHODS)
    assert all(each.corr.low <= each.corr.value <= each.corr.high for each in found.results)
    assert found.results[0].corr.value > 0.1


def test_the_same_folder_gives_the_same_figures(tmp_path: Path) -> None:
    folder = season_folder(tmp_path, n_rounds=9)

    assert compare_season(folder).results == compare_season(folder).results


def test_a_state_file_says_what_was_observable(tmp_path: Path) -> None:
    folder, state = season_folder(tmp_path, n_rounds=60), tmp_path / "state.csv"
    pl.DataFrame({"round": range(60, 0, -1), "volatility": [1.0] * 8 + [0.1, 0.2] * 26}).write_csv(state)

    found = compare_season(folder, state=state)

    assert found.state == "state.csv"
    assert found.stressed == pytest.approx(1.0)


def test_a_round_without_a_state_is_named(tmp_path: Path) -> None:
    folder, state = season_folder(tmp_path, n_rounds=9), tmp_path / "state.csv"
    pl.DataFrame({"round": [1, 2, 4], "volatility": [0.1, 0.2, 0.3]}).write_csv(state)

    with pytest.raises(InputError, match="round 3 has no value"):
        compare_season(folder, state=state)


def test_a_folder_that_is_no_season_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no evidence/\*\.json"):
        compare_season(tmp_path)


def test_too_few_rounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="6 rounds are resolved; 7 are the least"):
        compare_season(season_folder(tmp_path, n_rounds=6))
