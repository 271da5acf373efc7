import pytest

from crowdalpha.release.sealed.budget import BITS_A_SCORE
from crowdalpha.rules.coarse import coarse_score, coarse_scores, paying_scores
from crowdalpha.rules.rulebook import default_rulebook


@pytest.mark.parametrize(
    ("score", "recorded"),
    [
        (499_999, 0),
        (500_000, 0),
        (500_001, 1_000_000),
        (1_500_000, 2_000_000),
        (-1_500_000, -2_000_000),
        (-12_345_678, -12_000_000),
        (1_700_000_000, 1_000_000_000),
    ],
)
def test_a_coarse_score_has_three_decimals(score: int, recorded: int) -> None:
    assert coarse_score(score) == recorded


def test_a_coarse_score_tells_no_more_bits_than_the_budget_counts() -> None:
    values = {coarse_score(billionths) for billionths in range(-1_000_000_000, 1_000_000_001, 500_000)}

    assert len(values) == 2_001
    assert len(values) <= 2**BITS_A_SCORE


def test_only_scores_that_pay_are_told() -> None:
    scores = {"corr": 20_400_000, "mmc": -3_600_000, "fnc": 7, "cwmm": None}
    rulebook = default_rulebook()  # pays mmc

    assert paying_scores(rulebook) == ("mmc",)
    assert coarse_scores(scores, rulebook=rulebook, final=True) == {
        "corr": None,
        "mmc": -4_000_000,
        "fnc": None,
        "cwmm": None,
    }


def test_before_the_end_nothing_is_told() -> None:
    assert coarse_scores({"mmc": 5_000_000}, rulebook=default_rulebook(), final=False) == {"mmc": None}
