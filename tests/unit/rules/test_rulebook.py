import hashlib
import json

import pytest
from pydantic import ValidationError

from crowdalpha.rules.errors import RulebookError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.money import POINTS, USD, Amount
from crowdalpha.rules.rulebook import default_rulebook, read_rulebook


def changed(**changes: Json) -> dict[str, Json]:
    return {**default_rulebook().to_json(), **changes}


def test_only_contribution_pays_by_default() -> None:
    assert default_rulebook().multiplier_quanta() == {"corr": 0, "mmc": 2_000_000_000}


def test_the_defaults_are_those_of_the_tournament() -> None:
    rulebook = default_rulebook()

    assert (rulebook.payout_target, rulebook.horizon_days, rulebook.lag_days) == ("target_neutral_20", 20, 2)
    assert (rulebook.clip_quanta, rulebook.min_overlap, rulebook.burn) == (50_000_000, "1", "pool")
    assert (rulebook.minimum_stake, rulebook.threshold) == (Amount.whole(1, POINTS), Amount.whole(72_000, POINTS))
    assert rulebook.meta_model.method == "stake_weighted"


def test_the_hash_is_that_of_the_sorted_compact_json() -> None:
    rulebook = default_rulebook()
    text = json.dumps(rulebook.to_json(), sort_keys=True, separators=(",", ":"))

    assert rulebook.hash == hashlib.sha256(text.encode()).hexdigest()


def test_a_rulebook_reads_back_as_itself() -> None:
    rulebook = default_rulebook(unit=USD, multipliers={"mmc": "2.25", "corr": "0.75"})

    assert read_rulebook(rulebook.to_json()) == rulebook
    assert read_rulebook(json.dumps(rulebook.to_json())).hash == rulebook.hash


def test_the_order_of_multipliers_does_not_change_the_hash() -> None:
    one = default_rulebook(multipliers={"mmc": "2", "corr": "1"})
    two = default_rulebook(multipliers={"corr": "1", "mmc": "2"})

    assert one.hash == two.hash


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "other"),
        ("tournament", "other"),
        ("unit", {"code": "usd", "scale": 6}),
        ("multipliers", {"mmc": "2.000000001"}),
        ("clip", "0.06"),
        ("stake_threshold", "1"),
        ("min_stake", "2"),
        ("min_overlap", "0.8"),
        ("lag_days", 3),
    ],
)
def test_another_rule_is_another_hash(field: str, value: Json) -> None:
    assert read_rulebook(changed(**{field: value})).hash != default_rulebook().hash


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("clip", "0", "clip: '0' is outside"),
        ("clip", "1.000000001", r"clip: .*write a share such as '0\.05'"),
        ("clip", 0.05, "clip: Input should be a valid string"),
        ("clip", "five percent", "clip: 'five percent' is not a decimal"),
        ("min_overlap", "1.5", "min_overlap: '1.5' is outside"),
        ("multipliers", {"mcm": "1"}, "multipliers: score 'mcm' cannot be paid for; choose from corr, fnc, mmc"),
        ("multipliers", {"mmc": "-1"}, "multipliers: multiplier '-1' of 'mmc' is outside"),
        ("multipliers", {"mmc": "0.0000000001"}, "10 decimals; at most 9"),
        ("min_stake", "0", "min_stake '0' is not above zero"),
        ("stake_threshold", "-1", "stake_threshold '-1' is not above zero"),
        ("payout_target", "target_neutral_60", "name it target_<family>_20"),
        ("payout_target", "neutral_20", "does not match horizon_days"),
        ("horizon_days", "20", "horizon_days: Input should be a valid integer"),
        ("lag_days", 0, "lag_days: Input should be greater than or equal to 1"),
        ("burn", "operator", "burn: Input should be 'pool'"),
        ("meta_model", {"method": "vote"}, "meta_model.method: Input should be 'stake_weighted'"),
        ("unit", {"code": "points", "scale": 99}, "unit scale 99"),
        ("unit", {"code": "points", "scale": 9, "x": 1}, "unit.x"),
        ("extra", 1, "extra: Extra inputs are not permitted"),
    ],
)
def test_a_bad_field_is_refused_by_name(field: str, value: Json, message: str) -> None:
    content = json.dumps(changed(**{field: value}))

    with pytest.raises(RulebookError, match=message):
        read_rulebook(content)


def test_every_bad_field_is_named_at_once() -> None:
    with pytest.raises(RulebookError, match=r"clip: .*; lag_days: |lag_days: .*; clip: "):
        read_rulebook(changed(clip="2", lag_days=0))


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(RulebookError, match="Invalid JSON"):
        read_rulebook(b"{")


def test_a_rulebook_cannot_be_changed() -> None:
    rulebook = default_rulebook()

    with pytest.raises(ValidationError, match="frozen"):
        rulebook.clip = "1"  # type: ignore[misc] # the point of the test
    with pytest.raises(TypeError, match="does not support item assignment"):
        rulebook.multipliers["mmc"] = "9"  # type: ignore[index] # the point of the test
