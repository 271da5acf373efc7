"""Uploads of thousands of rows by many clients at once, to a server that runs as operators run it.

`python -m bench.server_uploads [--clients 32] [--each 40] [--rows 5000]`
"""

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import numpy as np

from bench.server_rounds import FIELD, ONE, ids_of, predictions
from crowdalpha.release.manifest import Manifest
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.datasets.service import publish
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.models.service import create_model
from crowdalpha.server.rounds.service import open_round
from crowdalpha.server.submissions.service import list_submissions
from crowdalpha.server.tournaments.service import create_tournament
from tests.fixtures.served import serving

WANTED_RATE, WANTED_P99 = 40.0, 1.5
NO_RATE_LIMITS = {"CROWDALPHA_RATE_PER_KEY": "0", "CROWDALPHA_RATE_PER_ADDRESS": "0"}
"""One address stands for 32 people here."""


@dataclass(frozen=True)
class Participant:
    """A key, the model it uploads for, and the files that it will send."""

    header: dict[str, str]
    model_id: ModelId
    files: list[bytes]


def prepare(platform: Platform, *, n_clients: int, each: int, ids: list[str]) -> list[Participant]:
    """Open a round and give every client an account, a key, a model and its files."""
    now = datetime.now(UTC)
    rulebook = default_rulebook()
    people = []
    with TemporaryDirectory() as name, platform.session() as session:
        manifest = Manifest(version="v1", kind="dataset", policy="none", inputs="none", files={}, facts={}, audit={})
        (Path(name) / "manifest.json").write_bytes(manifest.to_bytes())
        publish(session, blobs=platform.blobs, directory=Path(name), version="v1", now=now)
        create_tournament(session, tournament_id=FIELD, name="bench", rulebook=rulebook, now=now)
        open_round(
            session,
            number=ONE,
            tournament_id=FIELD,
            rulebook=rulebook,
            dataset_version="v1",
            live_ids=ids,
            era="0001",
            opens_at=now,
            closes_at=now + timedelta(days=1),
            resolves_at=now + timedelta(days=30),
            now=now,
        )
        for place in range(n_clients):
            account = create_account(session, name=f"account-{place}", now=now)
            key = create_key(session, account_id=account.id, name="bench", now=now)
            model = create_model(session, account_id=account.id, tournament_id=FIELD, name=f"m-{place}", now=now)
            header = {"Authorization": f"Token {key.key.public_id}${key.secret}"}
            files = [predictions(1000 * place + upload, ids) for upload in range(each)]
            people.append(Participant(header, model.id, files))
    return people


def send(url: str, participant: Participant, start: threading.Barrier) -> list[tuple[float, str]]:
    """Send a participant's files one after the other; gives the seconds of each and the hash on its receipt."""
    answers = []
    with httpx2.Client(base_url=url, headers=participant.header, timeout=60) as client:
        start.wait()
        for content in participant.files:
            began = time.perf_counter()
            answer = client.post(
                f"/api/v1/models/{participant.model_id}/submissions", files={"file": ("predictions.parquet", content)}
            )
            seconds = time.perf_counter() - began
            answer.raise_for_status()
            answers.append((seconds, answer.json()["receipt"]["content_sha256"]))
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--rows", type=int, default=5000)
    chosen = parser.parse_args()
    ids = ids_of(chosen.rows)
    with serving(environment=NO_RATE_LIMITS) as served, open_platform(served.settings) as platform:
        people = prepare(platform, n_clients=chosen.clients, each=chosen.each, ids=ids)
        start = threading.Barrier(chosen.clients + 1)
        with ThreadPoolExecutor(chosen.clients) as pool:
            running = [pool.submit(send, served.url, participant, start) for participant in people]
            start.wait()
            began = time.perf_counter()
            answers = [answer for each in running for answer in each.result()]
            seconds = time.perf_counter() - began
        with platform.session() as session:
            stored = [submission.sha256 for submission in list_submissions(session, number=ONE)]
        sent = sorted(sha256_hex(content) for participant in people for content in participant.files)
        kept = sorted(stored) == sent == sorted(sha256 for _, sha256 in answers)
        readable = all(platform.blobs.has(sha256) for sha256 in sent)
    times = np.array([each for each, _ in answers])
    p50, p99 = np.quantile(times, [0.5, 0.99])
    print(f"{len(times)} uploads of {chosen.rows:,} rows by {chosen.clients} clients in {seconds:.1f} s")
    print(f"{len(times) / seconds:6.1f} a second (wanted {WANTED_RATE:.0f})")
    print(f"{p50:6.3f} s median, {p99:.3f} s p99 (wanted {WANTED_P99})")
    print(f"none lost, none twice: {'yes' if kept and readable else 'NO'}")


if __name__ == "__main__":
    main()
