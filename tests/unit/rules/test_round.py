import pytest

from crowdalpha.rules.errors import WrongState
from crowdalpha.rules.round import ALLOWED, RoundState, advance

S = RoundState
MOVES = [
    (S.SCHEDULED, S.OPEN),
    (S.OPEN, S.CLOSED),
    (S.CLOSED, S.SCORING),
    (S.SCORING, S.RESOLVED),
    (S.SCHEDULED, S.VOID),
    (S.OPEN, S.VOID),
    (S.CLOSED, S.VOID),
    (S.SCORING, S.VOID),
]


@pytest.mark.parametrize(("state", "to"), MOVES)
def test_a_round_moves_one_step_forward_or_becomes_void(state: RoundState, to: RoundState) -> None:
    assert advance(state, to) is to


@pytest.mark.parametrize(("state", "to"), [(a, b) for a in S for b in S if (a, b) not in MOVES])
def test_every_other_move_is_refused(state: RoundState, to: RoundState) -> None:
    with pytest.raises(WrongState) as caught:
        advance(state, to)

    assert (caught.value.state, caught.value.to) == (state, to)


def test_the_refusal_names_the_ways_out() -> None:
    with pytest.raises(WrongState, match="open cannot become resolved; it can become closed or void"):
        advance(S.OPEN, S.RESOLVED)
    with pytest.raises(WrongState, match="it is final"):
        advance(S.RESOLVED, S.OPEN)


def test_the_table_names_every_state() -> None:
    assert set(ALLOWED) == set(RoundState)
