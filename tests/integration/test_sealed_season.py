"""The sealed track as a season plays it, on one round."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from crowdalpha.lab.participants.sealed import SealedPredictor
from crowdalpha.lab.sealing import offer_era, open_sealed_files, seal_folder, take_sealed
from crowdalpha.release.sealed import Forest, LinearModel
from crowdalpha.release.sealed.lightgbm_text import Leaf, Node
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import close_round
from crowdalpha.server.sealed.service import OpenedRound, list_offers, open_round_submissions
from tests.fixtures import tournament as make

ONE = RoundNumber(1)
FEATURES = ("feature_0", "feature_1", "feature_2", "feature_3")
LINEAR = SealedPredictor(LinearModel({"feature_0": 0.2, "feature_1": -0.1}))
TREES = SealedPredictor(
    Forest(
        (
            Node("feature_0", 2, Leaf(0.0), Node("feature_1", 3, Leaf(1.0), Leaf(2.5))),
            Node("feature_2", 1, Leaf(0), Leaf(1)),
        )
    )
)


@pytest.fixture
def models(fresh_platform: Platform, tmp_path: Path) -> list[Model]:
    with fresh_platform.session() as session:
        models = make.tournament(fresh_platform, session, tmp_path / "data")
        make.opened_round(session)
    return models


def test_models_run_on_a_sealed_era_and_a_replay_changes_nothing(
    fresh_platform: Platform, models: list[Model], tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    now, frame = make.opens_at(1), make.features(1)
    for _ in range(2):
        offer_era(fresh_platform, ONE, frame, FEATURES, now=now)
    files = open_sealed_files(fresh_platform, ONE, folder)
    for model, predictor in zip(models, (LINEAR, TREES), strict=False):
        take_sealed(fresh_platform, ONE, model.id, predictor.seal(files), now=now)
    with fresh_platform.session() as session:
        assert len(list_offers(session, number=ONE)) == 1
        assert opened(fresh_platform, session) == OpenedRound(ONE, opened=2, rejected=0, superseded=0)
        close_round(session, blobs=fresh_platform.blobs, number=ONE, now=make.closes_at(1))
    take_sealed(fresh_platform, ONE, models[0].id, LINEAR.seal(files), now=now)
    with fresh_platform.session() as session:
        assert opened(fresh_platform, session) == OpenedRound(ONE, opened=2, rejected=0, superseded=0)


def opened(platform: Platform, session: Session) -> OpenedRound:
    return open_round_submissions(
        session, blobs=platform.blobs, number=ONE, secrets=seal_folder(platform), now=make.closes_at(1)
    )
