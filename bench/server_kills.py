"""A season through the network, killed with SIGKILL at random moments, against the same season left alone.

One process serves the platform and plays its rounds; clients upload to it over HTTP until they hold a receipt; the
process is killed at a random moment of its life, again and again, and started anew. Whatever it was doing (a start, an
upload, a close, a scoring, a resolution), the season has to end the same: the same receipts, scores, payouts, proofs.

`python -m bench.server_kills [--kills 200] [--seed 1]`
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx2
import numpy as np
import polars as pl
import uvicorn
from pydantic import SecretStr
from sqlalchemy import text

from bench.server_rounds import FIELD, ids_of, predictions
from bench.server_uploads import NO_RATE_LIMITS
from crowdalpha.release.manifest import Manifest
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.server import Platform, Settings, open_platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.app import create_app
from crowdalpha.server.datasets.service import publish
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.ledger.service import deposit, fund_rewards
from crowdalpha.server.models.service import create_model
from crowdalpha.server.rounds.service import close_round, open_round, resolve_round
from crowdalpha.server.scores.service import score_round
from crowdalpha.server.serving import bound_socket
from crowdalpha.server.stakes.service import increase
from crowdalpha.server.tournaments.service import create_tournament
from tests.fixtures.served import free_port

START = datetime(2024, 1, 1, tzinfo=UTC)
N_ROUNDS, N_MODELS, N_ROWS, DAYS = 6, 12, 400, (5, 10, 20)
RULEBOOK = default_rulebook()
LONGEST_LIFE_S = 4.0
PATIENCE_S = 120.0
EVIDENCE = {
    "submissions": "SELECT round_number, model_id, sequence, sha256, receipt FROM submission ORDER BY 1, 2, 3",
    "closings": "SELECT round_number, total_at_risk, snapshot_root, closed_hash, meta_model_sha256 FROM round_closing "
    "ORDER BY 1",
    "scores": "SELECT * FROM score ORDER BY 1, 2, 3",
    "payouts": "SELECT * FROM round_payout ORDER BY 1, 2",
    "proofs": "SELECT round_number, paid, burned, payout_root, bundle_sha256 FROM round_resolution ORDER BY 1",
    "ledger": "SELECT batch_id, code, debit_id, credit_id, amount, key, at FROM ledger_transfer ORDER BY id",
    "balances": "SELECT ref, unit, balance FROM ledger_account ORDER BY 1, 2",
}
"""What two seasons are compared by, row by row."""


def opens_at(number: int) -> datetime:
    return START + timedelta(weeks=number)


def resolves_at(number: int) -> datetime:
    return opens_at(number) + timedelta(days=30)


class Season:
    """The process that is killed: it serves, and plays every step from the first on, which the services bear."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.now = max([START, *(opens_at(each) for each in range(1, N_ROUNDS + 1) if self._begun(each).exists())])
        self.ids = ids_of(N_ROWS)

    def admit(self) -> None:
        """Set the tournament up in one transaction, and leave the keys where the clients find them."""
        if (self.folder / "keys.json").exists():
            return
        data = self.folder / "dataset"
        data.mkdir(exist_ok=True)
        manifest = Manifest(version="v1", kind="dataset", policy="none", inputs="none", files={}, facts={}, audit={})
        (data / "manifest.json").write_bytes(manifest.to_bytes())
        keys = {}
        with self.platform.session() as session:
            publish(session, blobs=self.platform.blobs, directory=data, version="v1", now=START)
            create_tournament(session, tournament_id=FIELD, name="bench", rulebook=RULEBOOK, now=START)
            fund_rewards(session, amount=Amount.whole(10_000, POINTS), key="bench", now=START)
            for place in range(N_MODELS):
                account = create_account(session, name=f"account-{place}", now=START)
                deposit(session, account_id=account.id, amount=Amount.whole(1000, POINTS), key=f"{place}", now=START)
                model = create_model(session, account_id=account.id, tournament_id=FIELD, name=f"m-{place}", now=START)
                stake = Amount.whole(10 + place, POINTS)
                increase(session, model_id=model.id, amount=stake, key=f"{place}", now=START)
                key = create_key(session, account_id=account.id, name="bench", now=START)
                keys[model.id] = f"Token {key.key.public_id}${key.secret}"
        written = self.folder / "keys.json.new"
        written.write_text(json.dumps(keys))
        written.replace(self.folder / "keys.json")

    def play(self) -> None:
        """Play every round; the next opens when the one before has closed."""
        for number in range(1, N_ROUNDS + 1):
            self._begun(number).touch()
            self.now = max(self.now, opens_at(number))  # a clock does not go back, also not where steps are repeated
            self._open(number)
            while not (self.folder / f"handed_in_{number}").exists():
                time.sleep(0.01)
            with self.platform.session() as session:
                close_round(session, blobs=self.platform.blobs, number=RoundNumber(number), now=self._closes(number))
            for day in DAYS:
                self._score(number, day)
            with self.platform.session() as session:
                resolve_round(session, blobs=self.platform.blobs, number=RoundNumber(number), now=resolves_at(number))
        (self.folder / "over").touch()

    def _begun(self, number: int) -> Path:
        return self.folder / f"begun_{number}"

    def _closes(self, number: int) -> datetime:
        return opens_at(number) + timedelta(days=1)

    def _open(self, number: int) -> None:
        with self.platform.session() as session:
            open_round(
                session,
                number=RoundNumber(number),
                tournament_id=FIELD,
                rulebook=RULEBOOK,
                dataset_version="v1",
                live_ids=self.ids,
                era=f"{number:04d}",
                opens_at=opens_at(number),
                closes_at=self._closes(number),
                resolves_at=resolves_at(number),
                now=opens_at(number),
            )

    def _score(self, number: int, day: int) -> None:
        drawn = np.random.default_rng([number, day]).choice([0.0, 0.25, 0.5, 0.75, 1.0], size=N_ROWS)
        with self.platform.session() as session:
            score_round(
                session,
                blobs=self.platform.blobs,
                number=RoundNumber(number),
                targets=pl.DataFrame({"id": self.ids, "target": drawn}),
                features=None,
                day=day,
                final=day == DAYS[-1],
                now=resolves_at(number),
            )


def serve_and_play(folder: Path, port: int) -> None:
    """Be the process that is killed."""
    settings = Settings(data_dir=folder / "data", signing_key=SecretStr("a key for this bench alone, 32 bytes or more"))
    with open_platform(settings) as platform:
        season = Season(platform, folder)
        season.admit()
        app = create_app(platform, clock=lambda: season.now)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        listening = bound_socket("127.0.0.1", port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        season.play()
        server.should_exit = True
        thread.join()


@dataclass
class Life:
    """A season in a folder, its process, and how often that was killed."""

    folder: Path
    port: int = field(default_factory=free_port)
    kills: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "bench.server_kills", "--child", str(self.folder), "--port", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            environment = {**os.environ, **NO_RATE_LIMITS}
            return subprocess.Popen(line, stdout=log, stderr=log, env=environment)  # noqa: S603  # our own module

    def live(self, rng: Random | None, *, most_kills: int) -> None:
        """Run the process until the season is over, killing it at random moments."""
        while not (self.folder / "over").exists():
            process = self.start()
            if not self.kills:
                # an admission that is killed leaves holes in the numbers of accounts, and hashes cover numbers
                self._keys()
            life = rng.uniform(0, LONGEST_LIFE_S) if rng is not None and self.kills < most_kills else None
            try:
                status = process.wait(life)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                self.kills += 1
            else:
                if status:
                    raise RuntimeError((self.folder / "log").read_text()[-3000:])
        self.over.set()

    def hand_in(self) -> None:
        """Be the participants: each round, upload until every model holds a receipt for its file."""
        keys = self._keys()
        with ThreadPoolExecutor(N_MODELS) as pool:
            for number in range(1, N_ROUNDS + 1):
                list(pool.map(lambda pair, number=number: self._upload(number, *pair), keys.items()))
                (self.folder / f"handed_in_{number}").touch()

    def _keys(self) -> dict[str, str]:
        while not (self.folder / "keys.json").exists():
            time.sleep(0.05)
        keys: dict[str, str] = json.loads((self.folder / "keys.json").read_text())
        return keys

    def _upload(self, number: int, model_id: str, key: str) -> None:
        content = predictions(100 * number + int(model_id), ids_of(N_ROWS))
        path = f"http://127.0.0.1:{self.port}/api/v1/models/{model_id}/submissions"
        headers = {"Authorization": key, "Idempotency-Key": f"{number}-{model_id}"}
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with suppress(httpx2.TransportError):
                answer = httpx2.post(
                    path,
                    headers=headers,
                    data={"round": str(number)},
                    files={"file": ("predictions.parquet", content)},
                    timeout=20,
                )
                if answer.is_success:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"round {number}, model {model_id}: no receipt in {PATIENCE_S} s")


def season(folder: Path, rng: Random | None, *, most_kills: int = 0) -> tuple[Life, dict[str, list[str]]]:
    """Play a season and give what it left behind."""
    folder.mkdir()
    life = Life(folder)
    with ThreadPoolExecutor(2) as pool:
        for each in (pool.submit(life.live, rng, most_kills=most_kills), pool.submit(life.hand_in)):
            each.result()
    with open_platform(Settings(data_dir=folder / "data")) as platform, platform.session() as session:
        left = {name: [str(row) for row in session.execute(text(query))] for name, query in EVIDENCE.items()}
    return life, left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=Path)
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.child is not None:
        serve_and_play(chosen.child, chosen.port)
        return
    rng, kills, differences, seasons = Random(chosen.seed), 0, 0, 0  # noqa: S311  # chooses moments, not secrets
    with TemporaryDirectory(prefix="crowdalpha-kills-", ignore_cleanup_errors=True) as name:
        _, wanted = season(Path(name) / "alone", None)
        while kills < chosen.kills:
            life, left = season(Path(name) / f"killed_{seasons}", rng, most_kills=chosen.kills - kills)
            kills += life.kills
            seasons += 1
            unlike = [part for part in wanted if left[part] != wanted[part]]
            differences += len(unlike)
            print(f"season {seasons}: killed {life.kills} times, {', '.join(unlike) or 'ended the same'}", flush=True)
    counts = ", ".join(f"{len(rows)} {part}" for part, rows in wanted.items())
    for part in wanted if differences else ():
        print(part, next((pair for pair in zip(wanted[part], left[part], strict=False) if pair[0] != pair[1]), None))
    print(f"{kills} kills in {seasons} seasons of {counts}: {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
