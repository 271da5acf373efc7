"""Hypothesis strategies for money, scores and rounds.

Amounts of a round are drawn relative to each other: with independent ones almost every burn would exceed its
stake and almost every pool would be empty or endless, and the rules in between would never run.
"""

from hypothesis import strategies as st

from crowdalpha.rules.fixed import QUANTUM, format_fixed
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.money import MAX_BASE, POINTS, USD, Amount, Unit
from crowdalpha.rules.rulebook import NAMED_SCORES, PAYABLE_SCORES, Rulebook, default_rulebook
from crowdalpha.rules.settlement import Position

__all__ = ["amounts", "positions", "recorded_scores", "rulebooks", "shares_of", "units"]

_MAX_STAKE = 10**16


def units() -> st.SearchStrategy[Unit]:
    """Draw a unit of account."""
    return st.sampled_from([POINTS, USD, Unit("yen", 0)])


def amounts(
    unit: Unit = POINTS,
    *,
    min_base: int = -MAX_BASE,
    max_base: int = MAX_BASE,
) -> st.SearchStrategy[Amount]:
    """Draw an amount of a unit."""
    return st.integers(min_base, max_base).map(lambda base: Amount(base, unit))


def shares_of(whole: Amount) -> st.SearchStrategy[Amount]:
    """Draw an amount between zero and a whole: both ends, one base unit beside them, and what lies between."""
    edges = sorted({0, min(1, whole.base), max(0, whole.base - 1), whole.base})
    return st.one_of(st.sampled_from(edges), st.integers(0, whole.base)).map(lambda base: Amount(base, whole.unit))


def recorded_scores() -> st.SearchStrategy[int | None]:
    """Draw a recorded score: mostly of a real size, sometimes extreme or undefined."""
    usual = st.integers(-QUANTUM // 10, QUANTUM // 10)
    return st.one_of(st.none(), usual, usual, st.integers(-3 * QUANTUM, 3 * QUANTUM))


@st.composite
def rulebooks(draw: st.DrawFn, unit: Unit = POINTS) -> Rulebook:
    """Draw rules of an obfuscated tournament that differ in multipliers, clip and threshold."""
    scores = sorted({*PAYABLE_SCORES} - {*NAMED_SCORES})
    multipliers = draw(st.dictionaries(st.sampled_from(scores), st.integers(0, 20 * QUANTUM)))
    clip = draw(st.integers(1, QUANTUM))
    changes = {
        "multipliers": {name: format_fixed(value, decimals=9) for name, value in multipliers.items()},
        "clip": format_fixed(clip, decimals=9),
        "stake_threshold": str(Amount(draw(st.integers(1, _MAX_STAKE)), unit)),
    }
    return Rulebook.model_validate({**dict(default_rulebook(unit=unit)), **changes})


@st.composite
def positions(draw: st.DrawFn, unit: Unit = POINTS, *, max_size: int = 6) -> list[Position]:
    """Draw the models of a round, each once, in any order.

    Balances are shares of what was put at risk or above it: earlier rounds may have burned a part of it.
    """
    model_ids = draw(st.lists(st.integers(0, 50), unique=True, max_size=max_size))
    return [draw(_position(ModelId(model_id), unit)) for model_id in model_ids]


@st.composite
def _position(draw: st.DrawFn, model_id: ModelId, unit: Unit) -> Position:
    at_risk = draw(amounts(unit, min_base=0, max_base=_MAX_STAKE))
    left = draw(st.one_of(shares_of(at_risk), st.just(at_risk + at_risk)))
    return Position(
        model_id=model_id,
        at_risk=at_risk,
        scores={name: draw(recorded_scores()) for name in PAYABLE_SCORES},
        stake=left,
        unstake=draw(shares_of(at_risk)),
    )
