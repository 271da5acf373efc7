"""A round of thousands of models: closed, scored, resolved and paid, on a real database, step by step.

`python -m bench.server_rounds [--models 6000] [--rows 5000] [--features 300]`
"""

import argparse
import io
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from crowdalpha.release.manifest import Manifest
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.server import Platform, Settings, open_platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.datasets.service import publish
from crowdalpha.server.ledger.service import deposit, fund_rewards
from crowdalpha.server.models.service import create_model
from crowdalpha.server.rounds.service import close_round, open_round, resolve_round
from crowdalpha.server.scores.service import score_round
from crowdalpha.server.stakes.service import increase
from crowdalpha.server.submissions.service import submit
from crowdalpha.server.tournaments.service import create_tournament

START = datetime(2024, 1, 1, tzinfo=UTC)
CLOSE, RESOLVE = START + timedelta(days=1), START + timedelta(days=30)
ONE, FIELD = RoundNumber(1), TournamentId(8)
SIGNING_KEY = b"a key for this bench alone, 32 bytes or more"
ACCOUNT_MODELS = 10
"""Models an account has."""
LIMIT = 60.0
"""Seconds for everything from the close to the payment."""


@contextmanager
def timed(work: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note how long a block takes and how much memory this process held at most."""
    started = time.perf_counter()
    yield
    seconds[work] = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{work:28} {seconds[work]:7.1f} s  {peak / 1e9:5.2f} GB at most", flush=True)


def ids_of(n_rows: int) -> list[str]:
    return [f"{place:016x}" for place in range(n_rows)]


def predictions(seed: int, ids: list[str]) -> bytes:
    """A model's file: a common part that all models see, and a part of its own."""
    common = np.random.default_rng(0).normal(size=len(ids))
    own = np.random.default_rng([1, seed]).normal(size=len(ids))
    buffer = io.BytesIO()
    pl.DataFrame({"id": ids, "prediction": 0.3 * common + own}).write_parquet(buffer)
    return buffer.getvalue()


def prepare(platform: Platform, folder: Path, *, n_models: int, ids: list[str]) -> list[ModelId]:
    """Open a round in which every model may take part, each with a stake of its own."""
    (folder / "dataset").mkdir()
    manifest = Manifest(version="v1", kind="dataset", policy="none", inputs="none", files={}, facts={}, audit={})
    (folder / "dataset" / "manifest.json").write_bytes(manifest.to_bytes())
    rulebook = default_rulebook(stake_threshold="720000")
    models = []
    with platform.session() as session:
        create_tournament(session, tournament_id=FIELD, name="bench", rulebook=rulebook, now=START)
        fund_rewards(session, amount=Amount.whole(1_000_000, POINTS), key="bench", now=START)
        publish(session, blobs=platform.blobs, directory=folder / "dataset", version="v1", now=START)
        for place in range(n_models):
            if place % ACCOUNT_MODELS == 0:
                account = create_account(session, name=f"account-{place}", now=START)
                wallet = Amount.whole(10_000, POINTS)
                deposit(session, account_id=account.id, amount=wallet, key=f"{place}", now=START)
            model = create_model(session, account_id=account.id, tournament_id=FIELD, name=f"model-{place}", now=START)
            amount = Amount.whole(1 + place % 100, POINTS)
            increase(session, model_id=model.id, amount=amount, key=f"{place}", now=START)
            models.append(model.id)
        open_round(
            session,
            number=ONE,
            tournament_id=FIELD,
            rulebook=rulebook,
            dataset_version="v1",
            live_ids=ids,
            era="0001",
            opens_at=START,
            closes_at=CLOSE,
            resolves_at=RESOLVE,
            now=START,
        )
    return models


def hand_in(platform: Platform, models: list[ModelId], ids: list[str]) -> None:
    """Submit for every model, each in its own transaction as a server does."""

    def one(model_id: ModelId) -> None:
        content = predictions(model_id, ids)
        with platform.session() as session:
            submit(
                session,
                blobs=platform.blobs,
                model_id=model_id,
                round_number=ONE,
                content=content,
                filename="predictions.parquet",
                now=START,
                signing_key=SIGNING_KEY,
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, models))


def play(*, n_models: int, n_rows: int, n_features: int) -> dict[str, float]:
    """Play the round and give the seconds of each step."""
    ids = ids_of(n_rows)
    rng = np.random.default_rng(2)
    targets = pl.DataFrame({"id": ids, "target": rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=n_rows)})
    bins = rng.integers(0, 5, size=(n_rows, n_features)).astype(np.int8)
    features = pl.DataFrame({"id": ids, **{f"feature_{place}": bins[:, place] for place in range(n_features)}})
    seconds: dict[str, float] = {}
    with (
        TemporaryDirectory(prefix="crowdalpha-bench-") as name,
        open_platform(Settings(data_dir=Path(name))) as platform,
    ):
        with timed("set up", seconds):
            models = prepare(platform, Path(name), n_models=n_models, ids=ids)
        with timed("submissions, 4 threads", seconds):
            hand_in(platform, models, ids)
        with timed("close, meta model", seconds), platform.session() as session:
            close_round(session, blobs=platform.blobs, number=ONE, now=CLOSE)
        with timed("score on 5 scores", seconds), platform.session() as session:
            score_round(
                session,
                blobs=platform.blobs,
                number=ONE,
                targets=targets,
                features=features,
                day=20,
                final=True,
                now=RESOLVE,
            )
        with timed("resolve and pay", seconds), platform.session() as session:
            resolve_round(session, blobs=platform.blobs, number=ONE, now=RESOLVE)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=6000)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--features", type=int, default=300)
    chosen = parser.parse_args()
    seconds = play(n_models=chosen.models, n_rows=chosen.rows, n_features=chosen.features)
    total = sum(seconds[name] for name in ("close, meta model", "score on 5 scores", "resolve and pay"))
    print(f"{'close to payment':28} {total:7.1f} s  (limit {LIMIT:.0f} s)")


if __name__ == "__main__":
    main()
