from pathlib import Path

import pytest

from crowdalpha.release import POLICIES, build_dataset
from crowdalpha.release.words import FIRST_WORDS, SECOND_WORDS, THIRD_WORDS, forbidden_claims
from tests.fixtures.releases import KEY, small_market

LISTS = [FIRST_WORDS, SECOND_WORDS, THIRD_WORDS]


@pytest.mark.parametrize("words", LISTS)
def test_each_list_has_at_least_sixty_different_plain_words(words: tuple[str, ...]) -> None:
    assert len(set(words)) == len(words) >= 60
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


@pytest.mark.parametrize(
    "claim",
    [
        "an anonymous data set",
        "Anonymised rows",
        "features are encrypted",
        "differentially private",
        "the steps are irreversible",
        "it cannot be decoded",
        "dates are hidden",
        "k-anonymous groups",
    ],
)
def test_a_claim_that_may_not_be_made_is_found(claim: str) -> None:
    assert forbidden_claims(claim)


def test_what_may_be_said_passes() -> None:
    assert forbidden_claims("Rows were averaged in groups of three; 12 % of them were linked to the next era.") == []


@pytest.mark.parametrize("name", list(POLICIES))
def test_no_manifest_claims_too_much(tmp_path: Path, name: str) -> None:
    market = small_market(n_assets=60)
    build_dataset(market, key=KEY, version="v1", published=55, out=tmp_path / "a", policy=POLICIES[name])

    assert forbidden_claims((tmp_path / "a" / "manifest.json").read_text()) == []


def test_the_page_on_publishing_claims_nothing_too_much() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "publish-a-dataset.md"

    assert forbidden_claims(page.read_text()) == []
