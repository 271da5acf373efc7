from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.contribution import verify_contributions
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, NotFound
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.rulebook import ReferenceBookRule, Rulebook
from crowdalpha.server import Platform
from crowdalpha.server.portfolios.service import (
    BookReturn,
    list_book_returns,
    list_contributions,
    record_contributions,
)
from crowdalpha.server.rounds.service import closed_record, frozen_predictions, resolve_round
from tests.fixtures import tournament as make
from tests.fixtures.books import book_inputs

ONE = RoundNumber(1)
RULEBOOK = make.RULEBOOK.model_copy(update={"reference_book": ReferenceBookRule(draws=3, position_limit="0.2")})


def played(platform: Platform, session: Session, folder: Path, *, rulebook: Rulebook = RULEBOOK) -> None:
    models = make.tournament(platform, session, folder)
    make.closed_round(platform, session, models, rulebook=rulebook)
    make.final_scores(platform, session)


def recorded(platform: Platform, session: Session, *, seed: int = 0) -> BookReturn:
    inputs = book_inputs(len(make.LIVE_IDS), seed=seed)
    return record_contributions(session, blobs=platform.blobs, number=ONE, inputs=inputs, now=make.resolves_at(1))


def test_contributions_are_recorded_once_and_proved(platform: Platform, session: Session, tmp_path: Path) -> None:
    played(platform, session, tmp_path)
    found = recorded(platform, session)
    again = recorded(platform, session)

    report = verify_contributions(
        platform.blobs.get(found.record_sha256),
        closed=closed_record(session, blobs=platform.blobs, number=ONE),
        rulebook=RULEBOOK,
        inputs=platform.blobs.get(found.inputs_sha256),
        predictions=frozen_predictions(session, blobs=platform.blobs, number=ONE).values,
    )
    assert report.ok, report.failures
    assert again == found
    assert list_book_returns(session) == [found]
    assert [each.model_id for each in list_contributions(session, number=ONE)] == [
        each.model_id for each in list_contributions(session)
    ]
    assert len(list_contributions(session)) == 3


def test_they_may_follow_the_resolution(platform: Platform, session: Session, tmp_path: Path) -> None:
    played(platform, session, tmp_path)
    resolve_round(session, blobs=platform.blobs, number=ONE, now=make.resolves_at(1))

    assert recorded(platform, session).number == ONE


def test_other_inputs_do_not_replace_them(platform: Platform, session: Session, tmp_path: Path) -> None:
    played(platform, session, tmp_path)
    recorded(platform, session)

    with pytest.raises(IdempotencyConflict, match="contributions:1"):
        recorded(platform, session, seed=1)


def test_what_is_written_stays(platform: Platform, session: Session, tmp_path: Path) -> None:
    played(platform, session, tmp_path)
    recorded(platform, session)

    with pytest.raises(DBAPIError, match="what is written there stays"):
        session.execute(text("UPDATE contribution SET tc = 0"))


def test_a_rulebook_without_a_book_has_no_contributions(platform: Platform, session: Session, tmp_path: Path) -> None:
    played(platform, session, tmp_path, rulebook=make.RULEBOOK)

    with pytest.raises(Conflict, match="no reference_book"):
        recorded(platform, session)


def test_returns_must_be_known(platform: Platform, session: Session, tmp_path: Path) -> None:
    played(platform, session, tmp_path)
    early = make.resolves_at(1) - timedelta(seconds=1)
    inputs = book_inputs(len(make.LIVE_IDS))

    with pytest.raises(Conflict, match="returns are known at"):
        record_contributions(session, blobs=platform.blobs, number=ONE, inputs=inputs, now=early)
    with pytest.raises(NotFound):
        record_contributions(session, blobs=platform.blobs, number=RoundNumber(9), inputs=inputs, now=early)


def test_inputs_that_do_not_fit_are_refused_and_nothing_is_kept(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    played(platform, session, tmp_path)
    inputs = book_inputs(len(make.LIVE_IDS))
    inputs.returns[4] = np.nan

    with pytest.raises(InputError, match=f"asset {make.LIVE_IDS[4]} may be held and has no return"):
        record_contributions(session, blobs=platform.blobs, number=ONE, inputs=inputs, now=make.resolves_at(1))
    assert list_contributions(session) == []
