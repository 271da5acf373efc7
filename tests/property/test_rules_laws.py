"""Laws of money, payouts and proofs that hold for any input."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdalpha.rules.errors import AmountOverflowError
from crowdalpha.rules.fixed import QUANTUM, divide_toward_zero
from crowdalpha.rules.hashing import canonical_json, hash_of
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.merkle import inclusion_proof, merkle_root, verify_inclusion
from crowdalpha.rules.money import MAX_BASE, POINTS, Amount, Unit, total
from crowdalpha.rules.payout import fund_payouts, payout, payout_factor, payout_rate
from crowdalpha.rules.rulebook import Rulebook, read_rulebook
from crowdalpha.rules.settlement import Position, settle
from crowdalpha.rules.verify import verify_round
from crowdalpha.testing.money import amounts, positions, recorded_scores, rulebooks, shares_of, units
from tests.fixtures.round_bundle import Plain, get_at, leaves_of, make_bundle, reseal, with_value

# A deadline, or a check on how fast data are drawn, would measure what else the machine does.
LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
STAKES = amounts(min_base=0, max_base=10**17)
ROUND = RoundNumber(31)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    max_leaves=8,
)


@LAW
@given(units().flatmap(amounts))
def test_an_amount_reads_back_from_its_text(amount: Amount) -> None:
    assert Amount.parse(str(amount), amount.unit) == amount


@LAW
@given(
    amounts(max_base=MAX_BASE // 2, min_base=-(MAX_BASE // 2)),
    amounts(max_base=MAX_BASE // 2, min_base=-(MAX_BASE // 2)),
)
def test_what_is_added_can_be_taken_away(one: Amount, other: Amount) -> None:
    assert (one + other) - other == one
    assert one + other == other + one
    assert (one < other) == (other > one) == (one - other < Amount.zero(POINTS))


@LAW
@given(st.integers(min_value=MAX_BASE + 1))
def test_no_amount_is_beyond_64_bits(base: int) -> None:
    with pytest.raises(AmountOverflowError):
        Amount(base, POINTS)


@LAW
@given(st.integers(), st.integers().filter(bool))
def test_division_is_the_exact_one_without_its_fraction(dividend: int, divisor: int) -> None:
    assert divide_toward_zero(dividend, divisor) == int(Fraction(dividend, divisor))


@LAW
@given(JSON)
def test_canonical_json_is_the_same_after_reading_it_back(value: Any) -> None:  # noqa: ANN401 - any JSON
    content = canonical_json(value)

    assert canonical_json(json.loads(content)) == content


@LAW
@given(STAKES, rulebooks(), STAKES, st.data())
def test_a_payout_is_the_exact_one_rounded_toward_zero(
    at_risk: Amount, rulebook: Rulebook, others: Amount, data: st.DataObject
) -> None:
    scores = {name: data.draw(recorded_scores()) for name in ("corr", "fnc", "mmc")}
    whole = at_risk + others
    paid = payout(at_risk, payout_rate(scores, rulebook, payout_factor(rulebook.threshold, whole))).base

    exact = exact_payout(at_risk, scores, rulebook, whole)
    bound = Fraction(at_risk.base, QUANTUM) * rate_error(scores, rulebook) + 1
    assert paid * exact >= 0
    assert 0 <= abs(exact) - abs(paid) < bound


def exact_payout(at_risk: Amount, scores: Mapping[str, int | None], rulebook: Rulebook, whole: Amount) -> Fraction:
    """Compute the published formula in exact fractions."""
    score = weighted(scores, rulebook) / QUANTUM
    factor = min(Fraction(1), Fraction(rulebook.threshold.base, whole.base)) if whole.base else Fraction(1)
    clip = Fraction(rulebook.clip)
    return at_risk.base * max(-clip, min(clip, factor * score))


def rate_error(scores: Mapping[str, int | None], rulebook: Rulebook) -> Fraction:
    """Bound the quanta that flooring score, factor and rate can cost: one each, the factor's times the score."""
    return 2 + weighted({name: abs(value or 0) for name, value in scores.items()}, rulebook) / QUANTUM


def weighted(scores: Mapping[str, int | None], rulebook: Rulebook) -> Fraction:
    terms = (Fraction(rulebook.multipliers.get(name, "0")) * (value or 0) for name, value in scores.items())
    return sum(terms, start=Fraction(0))


@LAW
@given(STAKES, st.integers(-QUANTUM, QUANTUM))
def test_payout_and_burn_are_symmetric(at_risk: Amount, rate: int) -> None:
    assert payout(at_risk, rate) == -payout(at_risk, -rate)
    assert abs(payout(at_risk, rate)) <= at_risk


@LAW
@given(STAKES, STAKES, st.integers(-QUANTUM, QUANTUM))
def test_splitting_a_stake_gains_nothing(one: Amount, other: Amount, rate: int) -> None:
    split, joined = payout(one, rate) + payout(other, rate), payout(one + other, rate)

    assert abs(split) <= abs(joined)
    assert abs(joined - split).base <= 1


@LAW
@given(st.lists(STAKES, max_size=6), st.data())
def test_a_pool_is_never_overdrawn_and_no_one_gets_more_than_earned(earned: list[Amount], data: st.DataObject) -> None:
    pool = data.draw(shares_of(total(earned, POINTS)))
    paid = fund_payouts(earned, pool)

    assert total(paid, POINTS) <= pool
    assert all(got <= wanted for got, wanted in zip(paid, earned, strict=True))
    assert (pool - total(paid, POINTS)).base < max(1, len(earned))


@LAW
@given(positions(), rulebooks(), st.integers(0, 10**16), st.randoms(use_true_random=False))
def test_a_settlement_does_not_depend_on_the_order_of_models(
    models: list[Position],
    rulebook: Rulebook,
    pool: int,
    random: Any,  # noqa: ANN401 - hypothesis' own Random
) -> None:
    shuffled = random.sample(models, len(models))
    one, other = (
        settle(each, number=ROUND, rulebook=rulebook, pool=Amount(pool, POINTS)) for each in (models, shuffled)
    )

    assert one == other


@LAW
@given(positions(), rulebooks(), st.integers(0, 10**16))
def test_a_settlement_stays_within_pool_stake_and_clip(models: list[Position], rulebook: Rulebook, pool: int) -> None:
    settlement = settle(models, number=ROUND, rulebook=rulebook, pool=Amount(pool, POINTS))
    by_model = {position.model_id: position for position in models}

    assert settlement.paid.base <= pool
    for outcome in settlement.outcomes:
        position = by_model[outcome.model_id]
        lost = outcome.burned + outcome.burned_pending
        assert Fraction(abs(outcome.earned).base) <= Fraction(rulebook.clip) * position.at_risk.base
        assert outcome.paid.base == 0 or lost.base == 0
        assert outcome.burned <= position.stake
        assert lost == min(max(-outcome.earned, Amount.zero(POINTS)), position.stake + position.unstake)


@LAW
@given(rulebooks())
def test_a_rulebook_reads_back_with_its_hash(rulebook: Rulebook) -> None:
    assert read_rulebook(canonical_json(rulebook.to_json())).hash == rulebook.hash == hash_of(rulebook.to_json())


@LAW
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_each_leaf_is_proved_and_a_changed_one_is_not(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = merkle_root(leaves), inclusion_proof(leaves, index)

    assert verify_inclusion(leaves[index], index=index, size=len(leaves), proof=proof, root=root)
    assert not verify_inclusion(leaves[index] + b"x", index=index, size=len(leaves), proof=proof, root=root)


@st.composite
def bundles(draw: st.DrawFn, unit: Unit = POINTS) -> Plain:
    models = draw(positions(unit, max_size=3))
    pool = draw(amounts(unit, min_base=0, max_base=10**15))
    content: Plain = dict(make_bundle(models, rulebook=draw(rulebooks(unit)), pool=pool).to_json())
    return content


@LAW
@given(bundles())
def test_every_honest_bundle_verifies(bundle: Plain) -> None:
    assert verify_round(bundle).ok


@LAW
@given(bundles(), st.data())
def test_no_single_field_can_be_changed(bundle: Plain, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(leaves_of(bundle), key=str)))
    old = get_at(bundle, path)
    new = data.draw(
        st.one_of(st.none(), st.integers(-(2**40), 2**40), st.sampled_from(["", f"{old}0", f"0{old}", "1" * 64]))
    )

    assert verify_round(with_value(bundle, path, new)).ok == (new == old and type(new) is type(old))


@LAW
@given(bundles(), st.data())
def test_no_row_can_be_dropped_repeated_or_moved(bundle: Plain, data: st.DataObject) -> None:
    path = data.draw(
        st.sampled_from(
            [("closed", "snapshot"), *(("resolved", name) for name in ("positions", "outcomes", "transfers"))]
        )
    )
    rows = get_at(bundle, path)
    changed = data.draw(st.sampled_from([rows[1:], [*rows, *rows[:1]], rows[::-1]]))

    assert verify_round(reseal(with_value(bundle, path, changed))).ok == (changed == rows)


@LAW
@given(bundles(), st.data())
def test_no_computed_field_can_be_changed_even_under_fresh_hashes(bundle: Plain, data: st.DataObject) -> None:
    facts = {"pool_before", "targets_sha256", "positions", "closed_hash", "score_root", "payout_root", "transfer_root"}
    computed = [path for path in leaves_of(bundle) if path[0] == "resolved" and path[1] not in facts]
    path = data.draw(st.sampled_from(sorted(computed, key=str)))
    old = get_at(bundle, path)
    new = data.draw(
        st.integers(-(2**63) + 1, 2**63 - 1).filter(lambda n: n != old) if isinstance(old, int) else st.just(f"{old}0")
    )

    assert not verify_round(reseal(with_value(bundle, path, new))).ok
