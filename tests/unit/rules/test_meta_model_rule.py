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
    ],
)
def test_other_rules_are_refused(fields: dict[str, Json], message: str) -> None:
    with pytest.raises(RulebookError, match=message):
        read_rulebook(with_meta_model(**fields))
