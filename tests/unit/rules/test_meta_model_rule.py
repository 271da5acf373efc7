import pytest

from crowdalpha.rules import default_rulebook, read_rulebook
from crowdalpha.rules.errors import RulebookError
from crowdalpha.rules.hashing import Json


def with_meta_model(**fields: Json) -> dict[str, Json]:
    return default_rulebook().to_json() | {"meta_model": fields}


def test_rulebooks_that_are_older_than_the_fields_keep_their_hash() -> None:
    assert default_rulebook().to_json()["meta_model"] == {"method": "stake_weighted"}


def test_a_method_is_half_stake_unless_it_says_otherwise() -> None:
    rule = read_rulebook(with_meta_model(method="gated_stacking", largest_account="0.1"))

    assert rule.to_json()["meta_model"] == {"method": "gated_stacking", "stake_share": "0.5", "largest_account": "0.1"}
    assert read_rulebook(rule.to_json()).hash == rule.hash


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"method": "magic"}, "meta_model.method"),
        ({"stake_share": "0.3"}, "says nothing beside stake_weighted"),
        ({"largest_account": "0"}, "outside"),
        ({"fewest_models": 0}, "fewest_models"),
    ],
)
def test_other_rules_are_refused(fields: dict[str, Json], message: str) -> None:
    with pytest.raises(RulebookError, match=message):
        read_rulebook(with_meta_model(**fields))


def test_a_rulebook_without_a_reference_book_says_nothing_of_it() -> None:
    assert "reference_book" not in default_rulebook().to_json()


def test_a_reference_book_is_part_of_the_hash_and_read_back() -> None:
    rules = read_rulebook(default_rulebook().to_json() | {"reference_book": {"risk_aversion": "20", "draws": 50}})

    assert rules.hash != default_rulebook().hash
    assert read_rulebook(rules.to_json()) == rules
    assert rules.to_json()["reference_book"] == {
        "information_coefficient": "0.03",
        "risk_aversion": "20",
        "gross_limit": "2",
        "position_limit": "0.02",
        "draws": 50,
        "kept": "0.5",
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"draws": 1}, "reference_book.draws"),
        ({"risk_aversion": "0"}, "outside"),
        ({"position_limit": "1.5"}, "outside"),
        ({"kept": "0"}, "outside"),
    ],
)
def test_a_reference_book_that_cannot_be_solved_is_refused(fields: dict[str, Json], message: str) -> None:
    with pytest.raises(RulebookError, match=message):
        read_rulebook(default_rulebook().to_json() | {"reference_book": fields})
