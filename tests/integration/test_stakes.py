from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import BelowMinimumStake, IdempotencyConflict, InsufficientBalance, NotFound, TransferError
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.ledger import BURNED, FlowCode, Transfer, available, unstake
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.server import Platform
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import resolve_round, void_round
from crowdalpha.server.stakes.service import decrease, increase, release_due, stake_of, stakes_of
from tests.fixtures import tournament as make


def free(session: Session, model: Model) -> Amount:
    return ledger.balance_of(session, available(model.account_id), unit=POINTS)


def pending(session: Session, model: Model) -> Amount:
    return ledger.balance_of(session, unstake(model.id), unit=POINTS)


def take_out(session: Session, model: Model, amount: str, *, key: str = "out") -> None:
    decrease(session, model_id=model.id, amount=make.points(amount), key=key, now=make.START)


def test_an_increase_moves_free_money_into_the_stake(session: Session) -> None:
    model = make.staked_model(session, "ann", deposited="1000", staked="100")

    assert stake_of(session, model_id=model.id) == make.points("100")
    assert free(session, model) == make.points("900")


def test_a_repeated_increase_changes_nothing_and_answers_the_same(session: Session) -> None:
    model = make.staked_model(session, "ann")
    first = increase(session, model_id=model.id, amount=make.points("5"), key="k", now=make.START)
    again = increase(session, model_id=model.id, amount=make.points("5"), key="k", now=make.closes_at(9))

    assert again == first
    assert stake_of(session, model_id=model.id) == make.points("105")


def test_a_repeated_decrease_changes_nothing(session: Session) -> None:
    model = make.staked_model(session, "ann")
    take_out(session, model, "100", key="all")
    take_out(session, model, "100", key="all")

    assert stake_of(session, model_id=model.id) == make.points("0")
    assert free(session, model) == make.points("1000")


def test_a_key_used_for_another_amount_is_refused(session: Session) -> None:
    model = make.staked_model(session, "ann")
    take_out(session, model, "10")

    with pytest.raises(IdempotencyConflict):
        take_out(session, model, "11")


def test_a_stake_is_nothing_or_at_least_the_minimum(session: Session) -> None:
    model = make.staked_model(session, "ann", staked="0")

    with pytest.raises(BelowMinimumStake):
        increase(session, model_id=model.id, amount=make.points("0.999999999"), key="k", now=make.START)
    increase(session, model_id=model.id, amount=make.points("1"), key="l", now=make.START)
    with pytest.raises(BelowMinimumStake):
        take_out(session, model, "0.5")


def test_more_than_there_is_cannot_be_staked_or_taken_out(session: Session) -> None:
    model = make.staked_model(session, "ann")

    with pytest.raises(InsufficientBalance, match="available"):
        increase(session, model_id=model.id, amount=make.points("901"), key="k", now=make.START)
    with pytest.raises(InsufficientBalance, match="stake"):
        take_out(session, model, "101")


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_amount_is_above_zero(session: Session, amount: str) -> None:
    model = make.staked_model(session, "ann")

    with pytest.raises(TransferError):
        increase(session, model_id=model.id, amount=make.points(amount), key="k", now=make.START)


def test_a_model_must_exist(session: Session) -> None:
    with pytest.raises(NotFound, match="no model 9"):
        increase(session, model_id=ModelId(9), amount=make.points("1"), key="k", now=make.START)


def test_a_decrease_while_no_round_is_closed_is_free_at_once(session: Session) -> None:
    model = make.staked_model(session, "ann")
    take_out(session, model, "40")

    assert (free(session, model), pending(session, model)) == (make.points("940"), make.points("0"))


def test_a_decrease_waits_for_the_rounds_that_were_closed_and_for_no_later_one(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path)
    make.scored_round(platform, session, models, 1)
    take_out(session, models[0], "40")
    make.scored_round(platform, session, models, 2)

    assert pending(session, models[0]) == make.points("40")
    resolve_round(session, blobs=platform.blobs, number=RoundNumber(1), now=make.resolves_at(1))
    assert pending(session, models[0]) == make.points("0")
    assert free(session, models[0]) == make.points("940")


def test_a_void_round_frees_what_waited_for_it(platform: Platform, session: Session, tmp_path: Path) -> None:
    models = make.tournament(platform, session, tmp_path)
    make.closed_round(platform, session, models)
    take_out(session, models[0], "40")
    void_round(session, number=RoundNumber(1), now=make.closes_at(1))

    assert free(session, models[0]) == make.points("940")


def test_a_later_close_puts_only_what_remained_at_risk(platform: Platform, session: Session, tmp_path: Path) -> None:
    models = make.tournament(platform, session, tmp_path)
    make.closed_round(platform, session, models, 1)
    take_out(session, models[0], "40")
    make.closed_round(platform, session, models, 2)

    assert stakes_of(session, [model.id for model in models]) == [
        make.points("60"),
        make.points("100"),
        make.points("100"),
    ]


def test_what_is_burned_of_pending_money_falls_on_the_oldest_decrease(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path)
    model = models[0]
    make.scored_round(platform, session, models, 1)
    take_out(session, model, "30", key="old")
    make.scored_round(platform, session, models, 2)
    take_out(session, model, "40", key="new")
    burn = Transfer(FlowCode.BURN_PENDING, unstake(model.id), BURNED, make.points("10"), "burn")
    ledger.post(session, batch_key="burn", transfers=[burn], now=make.START)

    void_round(session, number=RoundNumber(1), now=make.START)
    assert pending(session, model) == make.points("40")
    void_round(session, number=RoundNumber(2), now=make.START)
    assert free(session, model) == make.points("960")


def test_a_release_of_which_nothing_is_left_ends_without_a_transfer(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path)
    make.closed_round(platform, session, models)
    take_out(session, models[0], "30")
    burn = Transfer(FlowCode.BURN_PENDING, unstake(models[0].id), BURNED, make.points("30"), "burn")
    ledger.post(session, batch_key="burn", transfers=[burn], now=make.START)
    void_round(session, number=RoundNumber(1), now=make.START)

    assert free(session, models[0]) == make.points("900")
    assert release_due(session, now=make.START) == make.points("0")
