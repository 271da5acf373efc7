import pytest

from crowdalpha.errors import InputError
from crowdalpha.release.sealed import PROFILES, LeakBudget, LeakBudgetSpentError


@pytest.mark.parametrize(
    ("name", "scores"), [("bfv-linear-1", 147), ("bfv-trees-1", 295), ("ckks-poly-1", 295), ("ckks-train-1", 590)]
)
def test_a_key_answers_up_to_a_quarter_of_its_entropy(name: str, scores: int) -> None:
    assert LeakBudget.of(PROFILES[name]).allowed == scores
    assert scores * 11 <= 0.25 * PROFILES[name].key_bits < (scores + 1) * 11


def test_the_296th_score_of_a_ring_8192_key_is_refused() -> None:
    budget = LeakBudget.of(PROFILES["bfv-trees-1"]).spend(295)

    assert budget.left == 0
    with pytest.raises(LeakBudgetSpentError, match="needs a new key"):
        budget.spend(1)


def test_too_many_answers_at_once_spend_nothing() -> None:
    budget = LeakBudget(10, 8)
    with pytest.raises(LeakBudgetSpentError):
        budget.spend(3)

    assert budget.left == 2


def test_answers_are_not_given_back() -> None:
    with pytest.raises(InputError):
        LeakBudget(10, 8).spend(-1)
