from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crowdalpha.ensemble import Combiner, blended_weights, cap_by_account, clean_predictions, meta_model
from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import ClosedRecord
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, NotFound, WrongState
from crowdalpha.rules.ids import RoundNumber, TournamentId
from crowdalpha.rules.ledger import BURNED, REWARDS, AccountRef, FlowCode, Transfer, stake
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.round import RoundState
from crowdalpha.rules.rulebook import MetaModelRule, default_rulebook
from crowdalpha.rules.verify import Evidence, verify_round
from crowdalpha.server import Platform
from crowdalpha.server.datasets.service import get_dataset
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.scores.service import list_scores, score_round
from crowdalpha.server.stakes.service import stake_of
from tests.fixtures import tournament as make

ONE = RoundNumber(1)


def resolve(platform: Platform, session: Session, number: int = 1) -> rounds.Resolution:
    return rounds.resolve_round(session, blobs=platform.blobs, number=RoundNumber(number), now=make.resolves_at(number))


def close(platform: Platform, session: Session, number: int = 1) -> rounds.ClosedRound:
    return rounds.close_round(session, blobs=platform.blobs, number=RoundNumber(number), now=make.closes_at(number))


def expected_delta(at_risk: int, mmc: int, total_at_risk: int) -> int:
    """The rulebook's formula in exact fractions, each step cut toward zero to 1e-9: 2 x MMC, clipped at 5 %."""
    quantum = 10**9
    factor = min(quantum, 72_000 * quantum * quantum // total_at_risk)
    rate = int(Fraction(factor * int(Fraction(2 * quantum * mmc, quantum)), quantum))
    clipped = max(-50_000_000, min(50_000_000, rate))
    return int(Fraction(at_risk * clipped, quantum))


def test_a_round_moves_exactly_what_its_recorded_scores_say(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path, n_models=4)
    scores = make.scored_round(platform, session, models)
    resolution = resolve(platform, session)

    at_risk = make.points("100").base
    deltas = [expected_delta(at_risk, score.mmc or 0, 4 * at_risk) for score in scores]
    assert [view.delta for view in rounds.list_positions(session)] == [Amount(delta, POINTS) for delta in deltas]
    assert [stake_of(session, model_id=model.id).base for model in models] == [at_risk + delta for delta in deltas]
    assert resolution.paid.base == sum(delta for delta in deltas if delta > 0)
    assert resolution.burned.base == -sum(delta for delta in deltas if delta < 0)


def test_a_resolved_round_leaves_the_books_in_balance(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.scored_round(platform, session, make.tournament(platform, session, tmp_path))
    resolution = resolve(platform, session)

    balances = ledger.balances(session)
    assert ledger.sum_of_balances(session, POINTS) == 0
    assert balances[REWARDS] == make.points("10000") - resolution.paid
    assert balances[BURNED] == resolution.burned
    assert ledger.audit(session) == 1 + 3 * 2 + 1


def test_every_step_repeated_changes_nothing_and_answers_the_same(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path)
    scores = make.scored_round(platform, session, models)
    closed = close(platform, session)
    resolution = resolve(platform, session)
    before = ledger.balances(session), ledger.count_transfers(session)
    make.tournament(platform, session, tmp_path)

    assert make.opened_round(session).state is RoundState.RESOLVED
    assert close(platform, session) == closed
    assert make.scored_round(platform, session, models) == scores
    assert resolve(platform, session) == resolution
    assert (ledger.balances(session), ledger.count_transfers(session)) == before


def test_the_verifier_accepts_the_bundle_with_all_evidence(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    make.scored_round(platform, session, make.tournament(platform, session, tmp_path))
    closed, resolution = close(platform, session), resolve(platform, session)
    frozen = rounds.frozen_predictions(session, blobs=platform.blobs, number=ONE)
    evidence = Evidence(
        model_ids=frozen.model_ids,
        submission_sha256=frozen.submission_sha256,
        predictions=frozen.values,
        target=make.targets(1)["target"].to_numpy(),
        features=make.features(1).drop("id").to_numpy().astype(np.float64),
        meta_model=rounds.meta_model(session, blobs=platform.blobs, number=ONE)["meta_model"].to_numpy(),
    )
    anchors = {
        "closed": closed.closed_hash,
        "snapshot_root": closed.snapshot_root,
        "bundle": resolution.bundle_sha256,
        "manifest": get_dataset(session, make.VERSION).manifest_sha256,
    }

    report = verify_round(platform.blobs.get(resolution.bundle_sha256), anchors=anchors, evidence=evidence)
    assert report.failures == ()


@pytest.mark.parametrize("field", [b'"paid":"', b'"burned":"', b'"at_risk":"', b'"pool_before":"', b'"mmc":'])
def test_the_verifier_refuses_a_tampered_bundle(
    platform: Platform, session: Session, tmp_path: Path, field: bytes
) -> None:
    make.scored_round(platform, session, make.tournament(platform, session, tmp_path))
    bundle = platform.blobs.get(resolve(platform, session).bundle_sha256)
    place = bundle.index(field) + len(field)
    tampered = bundle[:place] + b"1" + bundle[place:]

    assert field in bundle
    assert not verify_round(tampered).ok


def test_the_meta_model_is_that_of_the_staked_submissions(platform: Platform, session: Session, tmp_path: Path) -> None:
    models = make.tournament(platform, session, tmp_path, n_models=2)
    idle = make.staked_model(session, "idle", staked="0")
    make.closed_round(platform, session, [*models, idle])

    frozen = rounds.frozen_predictions(session, blobs=platform.blobs, number=ONE)
    found = rounds.meta_model(session, blobs=platform.blobs, number=ONE)
    assert found["id"].to_list() == list(make.LIVE_IDS)
    np.testing.assert_allclose(
        found["meta_model"], meta_model(frozen.values[:, :2], np.array([100.0, 100.0])), atol=1e-12
    )


def test_a_model_without_stake_is_scored_and_neither_paid_nor_burned(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path)
    idle = make.staked_model(session, "idle", staked="0")
    scores = make.scored_round(platform, session, [*models, idle])
    resolve(platform, session)

    assert scores[-1].model_id == idle.id
    assert scores[-1].corr is not None
    assert rounds.list_positions(session)[-1].delta == make.points("0")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM position",
        "UPDATE position SET at_risk = 0",
        "UPDATE submission SET sha256 = 'x'",
        "TRUNCATE round_closing",
        "UPDATE score SET mmc = 0",
        "DELETE FROM score_day",
        "UPDATE round_payout SET paid = 0",
        "DELETE FROM round_resolution",
    ],
)
def test_what_was_frozen_or_recorded_stays(platform: Platform, session: Session, tmp_path: Path, change: str) -> None:
    make.scored_round(platform, session, make.tournament(platform, session, tmp_path))
    resolve(platform, session)

    with pytest.raises(DBAPIError, match=r"(UPDATE|DELETE|TRUNCATE) on \w+ refused"):
        session.execute(text(change))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE round SET era = 'x'",
        "UPDATE round SET rulebook_hash = 'x'",
        "UPDATE round SET closes_at = now()",
        "UPDATE round SET dataset_version = 'v2'",
    ],
)
def test_a_round_is_bound_to_what_it_was_opened_with(
    platform: Platform, session: Session, tmp_path: Path, change: str
) -> None:
    make.tournament(platform, session, tmp_path)
    make.opened_round(session)

    with pytest.raises(DBAPIError, match="round 1 is bound"):
        session.execute(text(change))


def test_a_number_opened_with_other_rules_is_refused(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.tournament(platform, session, tmp_path)
    make.opened_round(session)

    with pytest.raises(IdempotencyConflict, match="round:1"):
        make.opened_round(session, rulebook=default_rulebook(stake_threshold="1"))


WEIGHED = make.RULEBOOK.model_copy(update={"meta_model": MetaModelRule(method="stacking", largest_account="0.4")})


def weighed_season(
    platform: Platform, session: Session, folder: Path, *, tournament_id: TournamentId = make.TOURNAMENT
) -> None:
    """Six weekly rounds; the first two, maybe of another tournament, are over before the sixth is closed."""
    make.tournament(platform, session, folder, n_models=0)
    ours = [make.staked_model(session, f"model-{place}") for place in range(3)]
    theirs = [make.staked_model(session, f"other-{place}", tournament_id=tournament_id) for place in range(3)]
    for number in (1, 2, 6):
        there = make.TOURNAMENT if number == 6 else tournament_id
        make.opened_round(session, number, rulebook=WEIGHED, tournament_id=there)
        for model in ours if there == make.TOURNAMENT else theirs:
            make.handed_in(platform, session, model, number)
        if number < 6:
            close(platform, session, number)
    for number in (1, 2):
        make.final_scores(platform, session, number)
        resolve(platform, session, number)


def test_a_method_learns_what_was_resolved_when_the_round_was_due_to_close(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    weighed_season(platform, session, tmp_path)
    closed = rounds.close_round(session, blobs=platform.blobs, number=RoundNumber(6), now=make.resolves_at(3))
    record = ClosedRecord.model_validate_json(platform.blobs.get(closed.closed_hash))

    frozen = [rounds.frozen_predictions(session, blobs=platform.blobs, number=RoundNumber(each)) for each in (1, 6)]
    combiner, stakes = Combiner(3), np.array([row.base for row in closed.at_risk], dtype=float)
    combiner.see(clean_predictions(frozen[0].values), np.full(3, 100.0))
    corrs = np.array([each.corr / 1e9 for each in list_scores(session, number=ONE) if each.corr is not None])
    combiner.learn(corrs, make.targets(1)["target"].to_numpy())
    combiner.see(clean_predictions(frozen[1].values), stakes)
    shares = cap_by_account(
        blended_weights(combiner.weights("stacking", stakes), stakes, share=0.5), ["1", "2", "3"], largest=0.4
    )
    assert record.learned_from == (1,)
    assert [row.weight for row in record.snapshot] == pytest.approx(1e9 * shares / shares.sum(), abs=2)
    np.testing.assert_allclose(
        rounds.meta_model(session, blobs=platform.blobs, number=RoundNumber(6))["meta_model"],
        meta_model(frozen[1].values, shares),
        atol=1e-8,
    )


def test_a_weighed_round_is_proved_by_its_bundle(platform: Platform, session: Session, tmp_path: Path) -> None:
    weighed_season(platform, session, tmp_path)
    six = RoundNumber(6)
    closed = rounds.close_round(session, blobs=platform.blobs, number=six, now=make.closes_at(6))
    make.final_scores(platform, session, 6)
    done = rounds.resolve_round(session, blobs=platform.blobs, number=six, now=make.resolves_at(6))
    frozen = rounds.frozen_predictions(session, blobs=platform.blobs, number=six)
    evidence = Evidence(
        model_ids=frozen.model_ids,
        submission_sha256=frozen.submission_sha256,
        predictions=frozen.values,
        target=make.targets(6)["target"].to_numpy(),
        meta_model=rounds.meta_model(session, blobs=platform.blobs, number=six)["meta_model"].to_numpy(),
    )

    report = verify_round(
        platform.blobs.get(done.bundle_sha256), anchors={"closed": closed.closed_hash}, evidence=evidence
    )
    assert report.ok, report.failures
    assert rounds.close_round(session, blobs=platform.blobs, number=six, now=make.closes_at(6)) == closed


def test_rounds_of_another_tournament_teach_nothing(platform: Platform, session: Session, tmp_path: Path) -> None:
    weighed_season(platform, session, tmp_path, tournament_id=TournamentId(9))
    closed = rounds.close_round(session, blobs=platform.blobs, number=RoundNumber(6), now=make.closes_at(6))
    record = ClosedRecord.model_validate_json(platform.blobs.get(closed.closed_hash))

    assert record.learned_from == ()
    assert [row.learned for row in record.snapshot] == [0, 0, 0]


def test_a_round_needs_its_dataset(session: Session) -> None:
    with pytest.raises(NotFound, match="no dataset v1"):
        make.opened_round(session)


@pytest.mark.parametrize("live_ids", [[], ["a", "a"]])
def test_a_round_needs_live_ids_each_once(
    platform: Platform, session: Session, tmp_path: Path, live_ids: list[str]
) -> None:
    make.tournament(platform, session, tmp_path)

    with pytest.raises(InputError, match="live_ids must be there, each once"):
        rounds.open_round(
            session,
            number=ONE,
            tournament_id=make.TOURNAMENT,
            rulebook=make.RULEBOOK,
            dataset_version=make.VERSION,
            live_ids=live_ids,
            era="0001",
            opens_at=make.opens_at(1),
            closes_at=make.closes_at(1),
            resolves_at=make.resolves_at(1),
            now=make.opens_at(1),
        )


def test_a_round_where_nothing_is_at_risk_does_not_close(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.tournament(platform, session, tmp_path)
    idle = make.staked_model(session, "idle", staked="0")
    make.opened_round(session)
    make.handed_in(platform, session, idle)

    with pytest.raises(Conflict, match="no submission with a stake at risk"):
        close(platform, session)
    assert rounds.get_round(session, ONE).state is RoundState.OPEN


def test_nothing_happens_before_its_time(platform: Platform, session: Session, tmp_path: Path) -> None:
    models = make.tournament(platform, session, tmp_path)
    make.opened_round(session)
    make.handed_in(platform, session, models[0])

    with pytest.raises(Conflict, match="round 1 closes at"):
        rounds.close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1) - timedelta(microseconds=1))
    make.scored_round(platform, session, models)
    with pytest.raises(Conflict, match="round 1 resolves at"):
        rounds.resolve_round(
            session, blobs=platform.blobs, number=ONE, now=make.resolves_at(1) - timedelta(microseconds=1)
        )


def test_an_open_round_cannot_be_scored_or_resolved(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.tournament(platform, session, tmp_path)
    make.opened_round(session)

    with pytest.raises(WrongState, match="open cannot become scoring"):
        rounds.start_scoring(session, number=ONE)
    with pytest.raises(WrongState, match="open cannot become resolved"):
        resolve(platform, session)
    with pytest.raises(Conflict, match="round 1 is open, and this needs its close"):
        rounds.meta_model(session, blobs=platform.blobs, number=ONE)


def test_a_round_without_final_scores_is_not_resolved(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.closed_round(platform, session, make.tournament(platform, session, tmp_path))
    score_round(
        session,
        blobs=platform.blobs,
        number=ONE,
        targets=make.targets(),
        features=None,
        day=3,
        final=False,
        now=make.resolves_at(1),
    )

    with pytest.raises(Conflict, match="no final scores"):
        resolve(platform, session)


def test_a_void_round_pays_nothing_and_stays_void(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.closed_round(platform, session, make.tournament(platform, session, tmp_path))
    before = ledger.balances(session)
    voided = rounds.void_round(session, number=ONE, now=make.closes_at(1))

    assert voided.state is RoundState.VOID
    assert rounds.void_round(session, number=ONE, now=make.closes_at(1)) == voided
    assert ledger.balances(session) == before
    with pytest.raises(WrongState, match="void cannot become resolved"):
        resolve(platform, session)


def test_rounds_are_listed_by_number_and_state(platform: Platform, session: Session, tmp_path: Path) -> None:
    models = make.tournament(platform, session, tmp_path)
    make.closed_round(platform, session, models, 2)
    make.opened_round(session, 1)

    assert [each.number for each in rounds.list_rounds(session)] == [1, 2]
    assert [each.number for each in rounds.list_rounds(session, state=RoundState.CLOSED)] == [2]
    assert rounds.list_positions(session, number=ONE) == []


def test_an_unknown_round_is_not_found(platform: Platform, session: Session) -> None:
    with pytest.raises(NotFound, match="no round 1"):
        rounds.get_round(session, ONE)
    with pytest.raises(NotFound, match="no round 1"):
        rounds.live_ids(session, ONE)
    with pytest.raises(NotFound, match="no round 1"):
        close(platform, session)


def replay(session: Session, deposits: Mapping[AccountRef, int]) -> dict[AccountRef, int]:
    """Recompute stakes from the frozen positions and recorded scores, without the ledger: rounds in their order."""
    held = dict(deposits)
    for number in sorted({view.number for view in rounds.list_positions(session)}):
        frozen = rounds.list_positions(session, number=number)
        total = sum(view.at_risk.base for view in frozen)
        scores = {score.model_id: score.mmc or 0 for score in list_scores(session, number=number)}
        for view in frozen:
            held[stake(view.model_id)] += expected_delta(view.at_risk.base, scores[view.model_id], total)
    return held


def test_five_rounds_open_at_once_end_in_the_recomputed_balances(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path, n_models=4)
    for number in range(1, 6):
        make.scored_round(platform, session, models, number)
    for number in range(1, 6):
        resolve(platform, session, number)

    start = make.points("100").base
    expected = replay(session, {stake(model.id): start for model in models})
    assert {ref: ledger.balance_of(session, ref, unit=POINTS).base for ref in expected} == expected
    assert ledger.sum_of_balances(session, POINTS) == 0


def test_payouts_beyond_the_pool_are_scaled_down_to_it(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.dataset(session, platform.blobs, tmp_path)
    models = [make.staked_model(session, f"poor-{place}") for place in range(4)]
    ledger.fund_rewards(session, amount=Amount(7, POINTS), key="tiny", now=make.START)
    make.scored_round(platform, session, models)
    resolution = resolve(platform, session)

    assert 0 < resolution.paid.base <= 7
    assert verify_round(platform.blobs.get(resolution.bundle_sha256)).ok


def test_a_stake_that_burns_brought_below_the_minimum_is_not_at_risk(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    models = make.tournament(platform, session, tmp_path, n_models=3)
    small = make.staked_model(session, "small", staked="1")
    burned = ledger.post(
        session,
        batch_key="burn",
        transfers=[Transfer(FlowCode.BURN, stake(small.id), BURNED, Amount(1, POINTS), "burn")],
        now=make.START,
    )
    make.closed_round(platform, session, [*models, small])

    assert burned.key == "burn"
    assert rounds.list_positions(session)[-1] == rounds.PositionView(ONE, small.id, make.points("0"), None)
