from pathlib import Path

import polars as pl
import pytest
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, IdempotencyConflict
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.payout import record_score
from crowdalpha.rules.round import RoundState
from crowdalpha.scoring import corr, fnc, mmc
from crowdalpha.server import Platform
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import frozen_predictions, get_round, meta_model, resolve_round
from crowdalpha.server.scores.service import ModelScore, list_meta_model_scores, list_scores, score_round
from tests.fixtures import tournament as make

ONE = RoundNumber(1)


@pytest.fixture
def models(platform: Platform, session: Session, tmp_path: Path) -> list[Model]:
    """Three staked models in round 1, closed."""
    models = make.tournament(platform, session, tmp_path)
    make.closed_round(platform, session, models)
    return models


def score(
    platform: Platform,
    session: Session,
    *,
    targets: pl.DataFrame | None = None,
    day: int = 5,
    final: bool = False,
    features: pl.DataFrame | None = None,
) -> list[ModelScore]:
    return score_round(
        session,
        blobs=platform.blobs,
        number=ONE,
        targets=make.targets() if targets is None else targets,
        features=features,
        day=day,
        final=final,
        now=make.resolves_at(1),
    )


@pytest.mark.usefixtures("models")
def test_recorded_scores_are_those_of_the_scorer(platform: Platform, session: Session) -> None:
    scores = score(platform, session, features=make.features())
    frozen = frozen_predictions(session, blobs=platform.blobs, number=ONE)
    target = make.targets()["target"].to_numpy()
    swarm = meta_model(session, blobs=platform.blobs, number=ONE)["meta_model"].to_numpy()
    bins = make.features().drop("id").to_numpy().astype(float)

    assert [each.corr for each in scores] == [record_score(float(x)) for x in corr(frozen.values, target)]
    assert [each.mmc for each in scores] == [record_score(float(x)) for x in mmc(frozen.values, swarm, target)]
    assert [each.fnc for each in scores] == [record_score(float(x)) for x in fnc(frozen.values, bins, target)]
    assert get_round(session, ONE).state is RoundState.SCORING


@pytest.mark.usefixtures("models")
def test_the_meta_models_own_correlation_is_recorded(platform: Platform, session: Session) -> None:
    score(platform, session, day=3)
    swarm = meta_model(session, blobs=platform.blobs, number=ONE)["meta_model"].to_numpy()
    expected = corr(swarm[:, None], make.targets()["target"].to_numpy())[0]

    assert [(each.day, each.corr) for each in list_meta_model_scores(session, final=False)] == [
        (3, record_score(float(expected)))
    ]
    assert list_meta_model_scores(session) == []


@pytest.mark.usefixtures("models")
def test_a_scored_day_repeated_gives_what_was_recorded(platform: Platform, session: Session) -> None:
    first = score(platform, session)

    assert score(platform, session, targets=make.targets().sample(fraction=1.0, shuffle=True, seed=1)) == first
    assert list_scores(session, final=False) == first


@pytest.mark.usefixtures("models")
def test_a_scored_day_with_other_targets_is_refused(platform: Platform, session: Session) -> None:
    score(platform, session)

    with pytest.raises(IdempotencyConflict, match="score:1:5"):
        score(platform, session, targets=make.targets(1))
    with pytest.raises(IdempotencyConflict, match="score:1:5"):
        score(platform, session, final=True)


@pytest.mark.usefixtures("models")
def test_final_scores_are_the_last(platform: Platform, session: Session) -> None:
    final = score(platform, session, day=22, final=True)

    with pytest.raises(Conflict, match="has its final scores"):
        score(platform, session, day=23)
    resolve_round(session, blobs=platform.blobs, number=ONE, now=make.resolves_at(1))
    with pytest.raises(Conflict, match="has its final scores"):
        score(platform, session, day=6)
    assert score(platform, session, day=22, final=True) == final


@pytest.mark.usefixtures("models")
def test_only_final_scores_are_listed_unless_asked(platform: Platform, session: Session) -> None:
    score(platform, session, day=5)
    final = score(platform, session, day=22, final=True)

    assert list_scores(session) == final
    assert [each.day for each in list_scores(session, number=ONE, final=False)] == [5, 5, 5, 22, 22, 22]


@pytest.mark.usefixtures("models")
def test_ids_without_a_known_target_are_left_out(platform: Platform, session: Session) -> None:
    short = make.targets().head(25)
    nulls = make.targets().with_columns(
        pl.when(pl.int_range(pl.len()) < 25).then(pl.col("target")).otherwise(None).alias("target")
    )
    scores = score(platform, session, targets=short, day=1)

    known = [each.corr for each in scores]
    assert [each.corr for each in score(platform, session, targets=nulls, day=2)] == known
    assert known != [each.corr for each in score(platform, session, day=3)]


@pytest.mark.usefixtures("models")
def test_without_features_the_feature_scores_stay_empty(platform: Platform, session: Session) -> None:
    scores = score(platform, session)

    assert {(each.fnc, each.max_exposure) for each in scores} == {(None, None)}


@pytest.mark.usefixtures("models")
def test_a_constant_target_gives_undefined_scores(platform: Platform, session: Session) -> None:
    flat = make.targets().with_columns(pl.lit(0.5).alias("target"))

    assert {each.corr for each in score(platform, session, targets=flat)} == {None}


@pytest.mark.usefixtures("models")
def test_targets_that_do_not_fit_are_refused_and_nothing_is_recorded(platform: Platform, session: Session) -> None:
    foreign = pl.concat([make.targets(), pl.DataFrame({"id": ["foreign"], "target": [0.5]})])

    with pytest.raises(InputError, match="id foreign is not among the live ids"):
        score(platform, session, targets=foreign)
    assert list_scores(session, final=False) == []
