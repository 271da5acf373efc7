"""Our client against a platform that is served over HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crowdalpha import __version__
from crowdalpha.client import Client, Dataset, Refused, check_predictions
from crowdalpha.client.answers import ServerDiagnosis
from crowdalpha.client.errors import DataRequestError, NoOpenRound
from crowdalpha.client.handing_in import find_receipt
from crowdalpha.release import PredictionFileError
from crowdalpha.rules.receipt import HmacSigner, verify_receipt
from crowdalpha.server import Platform
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.tasks import TASKS
from crowdalpha.server.worker import Worker
from tests.fixtures.contest import CLASSIC_ROUND, NAMED_ROUND, SHARES, SIGNALS, invitation, open_contest
from tests.fixtures.serving import serving


@dataclass(frozen=True)
class Contest:
    platform: Platform
    url: str

    def joined(self, name: str, folder: Path) -> Client:
        link = f"{self.url}/invite/{invitation(self.platform, now=utc_now())}"
        return Client.from_invite(link, name, folder=folder, save=False)


@pytest.fixture(scope="module")
def contest(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    """Serve a platform with two open rounds to every test of this module."""
    open_contest(platform, tmp_path_factory.mktemp("contest"), now=utc_now())
    with serving(platform) as url:
        yield Contest(platform, url)


@pytest.fixture(scope="module")
def ann(contest: Contest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with contest.joined("ann", tmp_path_factory.mktemp("ann")) as client:
        client.create_model("first")
        client.create_model("shares", tournament=SIGNALS)
        yield client


def random(ids: list[str], *, seed: int = 0) -> pl.DataFrame:
    return pl.DataFrame({"id": ids, "prediction": np.random.default_rng(seed).uniform(size=len(ids))})


def signals(*, seed: int = 0, n: int = 120) -> pl.DataFrame:
    names = SHARES.to_frame()["numerai_ticker"].head(n)
    return pl.DataFrame({"numerai_ticker": names, "signal": np.random.default_rng(seed).uniform(size=len(names))})


def test_an_invitation_becomes_a_key_that_later_clients_find(
    contest: Contest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDALPHA_CREDENTIALS", str(tmp_path / "key.json"))
    link = f"{contest.url}/invite/{invitation(contest.platform, now=utc_now())}"
    with Client.from_invite(link, "bea", password="three words more"):  # noqa: S106  # of tests alone
        pass

    with Client() as found:
        assert found.account().name == "bea"
    with Client.from_password(contest.url, "bea", "three words more", save=False) as again:
        assert again.account().name == "bea"


def test_an_invitation_works_once(contest: Contest, tmp_path: Path) -> None:
    link = f"{contest.url}/invite/{invitation(contest.platform, now=utc_now())}"
    with Client.from_invite(link, "cleo", folder=tmp_path, save=False):
        pass

    with pytest.raises(Refused, match="ask for a new one"):
        Client.from_invite(link, "cleo two", folder=tmp_path, save=False)


def test_what_is_there_is_listed(ann: Client) -> None:
    assert [(each.id, each.kind) for each in ann.tournaments()] == [(8, "obfuscated"), (11, "named")]
    assert [each.version for each in ann.datasets()] == ["v1"]
    assert ann.current_round().number == CLASSIC_ROUND
    assert ann.current_round(SIGNALS).number == NAMED_ROUND
    assert [each.number for each in ann.rounds()] == [CLASSIC_ROUND]
    assert [each.name for each in ann.models()] == ["first", "shares"]
    with pytest.raises(NoOpenRound):
        ann.current_round(5)


def test_a_version_is_downloaded_whole_and_opens(ann: Client, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    folder = ann.download("v1", to=tmp_path / "v1", progress=lambda *step: told.append(step))

    assert Dataset(folder).manifest.version == "v1"
    assert told[-1][0] == "manifest.json"
    assert told[-1][1] == told[-1][2] == sum(path.stat().st_size for path in folder.iterdir())


def test_a_broken_download_is_taken_up_over_http(ann: Client, tmp_path: Path) -> None:
    whole = (ann.download("v1", to=tmp_path / "whole", names=["train.parquet"]) / "train.parquet").read_bytes()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "train.parquet.part").write_bytes(whole[: len(whole) // 2])

    ann.download("v1", to=tmp_path / "half", names=["train.parquet"])

    assert (tmp_path / "half" / "train.parquet").read_bytes() == whole


def test_a_file_that_is_not_there_is_named(ann: Client, tmp_path: Path) -> None:
    with pytest.raises(DataRequestError, match=r"v1 has no file tests\.parquet"):
        ann.download("v1", to=tmp_path, names=["tests.parquet"])


def test_a_frame_is_handed_in_and_its_receipt_kept_beside_it(ann: Client, contest: Contest) -> None:
    live = ann.live()

    done = ann.submit(random(live.ids), model="first")

    assert verify_receipt(done.receipt, HmacSigner(contest.platform.signing_key))
    assert done.file.read_bytes() != b""
    assert check_predictions(done.file, live_ids=live.ids).dropped_unknown == 0
    assert done.receipt_file == done.file.with_name(f"{done.file.name}.receipt.json")
    assert find_receipt(done.file) == done.receipt
    newest = next(iter(ann.submissions("first")))
    assert (newest.sha256, newest.source) == (done.receipt.content_sha256, f"crowdalpha {__version__}")


@pytest.mark.parametrize("indexed", [False, True], ids=["column", "index"])
def test_a_pandas_frame_and_a_polars_frame_are_the_same_file(ann: Client, *, indexed: bool) -> None:
    frame = random(ann.live().ids, seed=3)
    other = pd.DataFrame({"id": frame["id"].to_list(), "prediction": frame["prediction"].to_numpy()})

    first = ann.submit(frame, model="first")
    again = ann.submit(other.set_index("id") if indexed else other, model="first")

    assert again.receipt == first.receipt


def test_a_file_is_sent_as_it_is(ann: Client, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    random(ann.live().ids, seed=4).write_csv(path)

    done = ann.submit(path, model="first", round=CLASSIC_ROUND)

    assert done.file == path
    assert (tmp_path / "mine.csv.receipt.json").exists()
    path.write_text("changed")
    assert find_receipt(path) is None


def test_a_bad_file_is_refused_here_as_it_is_there(ann: Client, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    random(ann.live().ids).with_columns(prediction=pl.lit(0.5)).write_csv(path)
    before = len(ann.submissions("first"))

    with pytest.raises(PredictionFileError, match=r"bad\.csv"):
        ann.submit(path, model="first")

    assert len(ann.submissions("first")) == before


def test_a_model_of_nobody_is_named(ann: Client) -> None:
    with pytest.raises(DataRequestError, match=r"model 'second' names 0 of your models; you have first \(\d+\)"):
        ann.submit(random(["a"]), model="second")


def test_a_named_round_is_previewed_and_handed_in(ann: Client) -> None:
    named = ann.named(NAMED_ROUND)

    preview = ann.preview(signals(), model="shares")
    done = ann.submit(signals(), model="shares")

    assert named.number == NAMED_ROUND
    assert preview.coverage["matched"] == preview.coverage["live"] == 120
    assert preview.max_churn == pytest.approx(0.15)
    assert preview.problem is None
    assert done.submission.dropped_unknown == 0


def test_a_named_file_that_covers_too_little_is_previewed_and_refused_here(ann: Client) -> None:
    few = signals(n=99)

    assert "100" in str(ann.preview(few, model="shares").problem)
    with pytest.raises(PredictionFileError, match="100"):
        ann.submit(few, model="shares")


def test_validation_predictions_are_scored_by_a_worker(ann: Client, contest: Contest, tmp_path: Path) -> None:
    example = pl.read_parquet(
        ann.download("v1", to=tmp_path, names=["validation_example_preds.parquet"]) / "validation_example_preds.parquet"
    )
    told: list[str] = []

    def work(each: ServerDiagnosis) -> None:
        told.append(each.state)
        Worker(contest.platform, TASKS, (), utc_now).run(threading.Event(), wait=False)

    done = ann.diagnose(example, model="first", progress=work)

    assert told == ["queued", "done"]
    assert len(done.series["corr"]) == len(done.eras) > 0


def test_a_file_waits_for_the_next_round(ann: Client) -> None:
    waiting = ann.queue(signals(), model="shares")

    assert waiting.state == "waiting"
    assert waiting in ann.queued("shares")


def test_money_moves_once_a_key(ann: Client) -> None:
    ann.increase_stake("first", "10", key="one-wish")
    after = ann.increase_stake("first", "10", key="one-wish")
    assert after.stake == Decimal(10)

    after = ann.decrease_stake("first", Decimal("2.5"))
    assert after.stake == Decimal("7.5")
    assert ann.stake("first").stake == Decimal("7.5")
    free = {each.balance for each in ann.balances() if each.account.startswith("available")}
    assert free in ({Decimal("92.5")}, {Decimal(90)})
    assert {each.code for each in ann.transfers()} >= {"stake", "unstake"}


def test_more_than_there_is_is_refused_with_its_code(ann: Client) -> None:
    with pytest.raises(Refused) as refused:
        ann.increase_stake("first", "100000")

    assert (refused.value.status, refused.value.code) == (409, "insufficient_balance")


def test_a_float_is_no_money(ann: Client) -> None:
    with pytest.raises(DataRequestError, match="float"):
        ann.increase_stake("first", 0.1)  # type: ignore[arg-type]  # what this refuses


def test_tables_without_rows_keep_their_columns(ann: Client) -> None:
    assert ann.scores("first").to_polars().shape == (0, 12)
    assert ann.leaderboard().to_polars().columns[:3] == ["place", "model_id", "model"]
    assert isinstance(ann.leaderboard().to_pandas(), pd.DataFrame)


def test_one_participant_cannot_use_the_model_of_another(ann: Client, contest: Contest, tmp_path: Path) -> None:
    first = ann.models()[0]

    with contest.joined("dan", tmp_path) as dan, pytest.raises(Refused) as refused:
        dan.submit(random(dan.live().ids), model=first)

    assert refused.value.status == 404
