"""The participant's client: a server's whole contest as methods."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

import httpx2
from narwhals.typing import IntoDataFrame
from pydantic import JsonValue

from crowdalpha import __version__
from crowdalpha.client import answers
from crowdalpha.client.answers import Answer, read, read_all
from crowdalpha.client.credentials import Credentials, find_credentials, save_credentials
from crowdalpha.client.dataset import LiveRound
from crowdalpha.client.errors import DataRequestError, NoOpenRound
from crowdalpha.client.fetching import Progress, fetch_folder
from crowdalpha.client.handing_in import Contents, check_receipt, contents_of, keep_receipt
from crowdalpha.client.joining import accept_invite, log_in, split_link
from crowdalpha.client.judging import Judge, fetch_judge, fetch_rulebook
from crowdalpha.client.named import NamedRound
from crowdalpha.client.reading import fetch_table, mapping, wait_for
from crowdalpha.client.table import Table
from crowdalpha.client.transport import Form, Params, Transport
from crowdalpha.release.predictions import MAX_BYTES
from crowdalpha.rules.receipt import Receipt
from crowdalpha.rules.rulebook import Rulebook

__all__ = ["Client", "Predictions", "Submitted"]

CLASSIC = 8
SOURCE = f"crowdalpha {__version__}"

A = TypeVar("A", bound=Answer)
ModelRef = str | int | answers.Model
Predictions = IntoDataFrame | Path | str
"""A pandas or polars frame, or the path of a CSV or Parquet file."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A file that was taken.

    Parameters
    ----------
    submission : Submission
        What the server recorded.
    receipt : Receipt
        Signed by the server; checked to be for this file, model and round.
    file, receipt_file : Path
        The bytes that were sent, and the receipt beside them.
    """

    submission: answers.Submission
    receipt: Receipt
    file: Path
    receipt_file: Path


class Client:
    """Talks to a server as one participant.

    Parameters
    ----------
    url : str, optional
        Address of the server; found like the key if not given.
    public_id, secret : str, optional
        The key; from `CROWDALPHA_PUBLIC_ID` and `CROWDALPHA_SECRET_KEY`, or the last login, if not given.
    tournament : int, default=8
        The tournament that methods mean if they are told no other.
    folder : Path, default=Path("crowdalpha")
        Where data, live rounds, and what was submitted as a frame are kept.
    transport : httpx2.BaseTransport, optional
        Another way to the server than the network.

    Raises
    ------
    NotLoggedIn
        If there is no server or key.

    Notes
    -----
    Every method raises `Refused` where the server says no, with its code, field and row, and `ServerUnreachable` where
    it gives no answer. Reads are repeated by themselves, and so are writes that carry a key of their own.
    """

    def __init__(  # what a connection is made of
        self,
        url: str | None = None,
        *,
        public_id: str | None = None,
        secret: str | None = None,
        tournament: int = CLASSIC,
        folder: Path | str = Path("crowdalpha"),
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        credentials = find_credentials(url, public_id=public_id, secret=secret)
        self.tournament = tournament
        self.folder = Path(folder)
        self._transport = Transport(credentials, transport=transport, sleep=sleep)
        self._judges: dict[int, Judge | None] = {}

    @classmethod
    def from_invite(
        cls,
        link: str,
        name: str,
        *,
        password: str | None = None,
        folder: Path | str = Path("crowdalpha"),
        save: bool = True,
    ) -> Self:
        """Open an account with the link of an invitation, and save its key.

        Parameters
        ----------
        link : str
            As it was sent to you; it works once.
        name : str
            Of the account.
        password : str, optional
            To sign in on the pages too.
        folder : Path, default=Path("crowdalpha")
            As for `Client`.
        save : bool, default=True
            Whether later `Client()` find the key.

        Returns
        -------
        Client
            Logged in.

        Raises
        ------
        DataRequestError
            If it is no such link.
        Refused
            If the invitation was used or has expired, or the name is taken.
        """
        url, token = split_link(link)
        with Transport(url) as transport:
            made = accept_invite(transport, token=token, name=name, password=password)
        return cls._with(made, folder=folder, save=save)

    @classmethod
    def from_password(
        cls, url: str, name: str, password: str, *, folder: Path | str = Path("crowdalpha"), save: bool = True
    ) -> Self:
        """Make a key with the name and password of an account, and save it; parameters as for `from_invite`."""
        with Transport(url) as transport:
            made = log_in(transport, name=name, password=password)
        return cls._with(made, folder=folder, save=save)

    @classmethod
    def _with(cls, made: Credentials, *, folder: Path | str, save: bool) -> Self:
        if save:
            save_credentials(made)
        return cls(made.url, public_id=made.public_id, secret=made.secret, folder=folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def url(self) -> str:
        """Address of the server."""
        return self._transport.base

    def account(self) -> answers.Account:
        """Read the account that the key belongs to."""
        return read(answers.Account, self._transport.get("/account"))

    def tournaments(self) -> list[answers.Tournament]:
        """List every tournament by its id."""
        return read_all(answers.Tournament, self._transport.get("/tournaments"))

    def rounds(self, tournament: int | None = None, *, limit: int = 100) -> Table[answers.Round]:
        """List rounds, newest first."""
        return self._table(answers.Round, "/rounds", {"tournament": tournament or self.tournament}, limit=limit)

    def current_round(self, tournament: int | None = None) -> answers.Round:
        """Read the newest round that takes submissions now.

        Raises
        ------
        NoOpenRound
            If there is none.
        """
        wanted = tournament or self.tournament
        found = read_all(answers.Round, self._transport.get("/rounds/current", {"tournament": wanted}))
        if not found:
            raise NoOpenRound(f"no round of tournament {wanted} takes submissions now; see rounds() for when one did")
        return found[0]

    def rulebook(self, round: int) -> Rulebook:  # noqa: A002  # the word for it
        """Read the rules that a round is bound to."""
        return fetch_rulebook(self._transport, round)

    def datasets(self) -> list[answers.PublishedFiles]:
        """List every published version of the data, oldest first."""
        found = read_all(answers.PublishedFiles, self._transport.get("/datasets"))
        return sorted(found, key=lambda each: each.published_at)

    def download(
        self,
        version: str | None = None,
        *,
        to: Path | str | None = None,
        names: list[str] | None = None,
        progress: Progress | None = None,
    ) -> Path:
        """Bring a version of the data: resumed where it broke, every file checked against its hash.

        Parameters
        ----------
        version : str, optional
            The version of the current round if not given.
        to : Path, optional
            The folder, which `Dataset` opens; one in the client's folder if not given.
        names : list of str, optional
            Only these files.
        progress : callable, optional
            Told the file, the bytes so far and the bytes in all.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        DownloadDamaged
            If what came is not what the server named.
        """
        wanted = version or self.current_round().dataset_version
        published = read(answers.PublishedFiles, self._transport.get(f"/datasets/{wanted}"))
        folder = self.folder / "data" / wanted if to is None else Path(to)
        return fetch_folder(
            self._transport, f"/datasets/{wanted}/files", published, folder, names=names, progress=progress
        )

    def download_live(
        self,
        round: int | None = None,  # noqa: A002
        *,
        to: Path | str | None = None,
        names: list[str] | None = None,
        progress: Progress | None = None,
    ) -> Path:
        """Bring the live files of a round, the current one if not given; the rest as for `download`."""
        number = self.current_round().number if round is None else round
        published = read(answers.PublishedFiles, self._transport.get(f"/rounds/{number}/files"))
        folder = self.folder / "rounds" / str(number) if to is None else Path(to)
        return fetch_folder(
            self._transport, f"/rounds/{number}/files", published, folder, names=names, progress=progress
        )

    def live(
        self,
        round: int | None = None,  # noqa: A002
        *,
        to: Path | str | None = None,
        progress: Progress | None = None,
    ) -> LiveRound:
        """Bring and open the live files of a round on hidden ids; parameters as for `download`."""
        return LiveRound(self.download_live(round, to=to, progress=progress))

    def named(
        self,
        round: int | None = None,  # noqa: A002
        *,
        to: Path | str | None = None,
        progress: Progress | None = None,
    ) -> NamedRound:
        """Bring and open the live files of a round on named assets; parameters as for `download`."""
        return NamedRound(self.download_live(round, to=to, progress=progress))

    def models(self) -> list[answers.Model]:
        """List your models."""
        return read_all(answers.Model, self._transport.get("/models"))

    def model(self, model: ModelRef) -> answers.Model:
        """Find one of your models by its name or id; a name is looked for in the client's tournament first.

        Raises
        ------
        DataRequestError
            If you have none, or several; names those that you have.
        """
        if isinstance(model, answers.Model):
            return model
        own = self.models()
        found = [each for each in own if str(model) in (str(each.id), each.name)]
        here = [each for each in found if each.tournament_id == self.tournament] or found
        if len(here) != 1:
            names = ", ".join(f"{each.name} ({each.id})" for each in own) or "none; make one with create_model"
            raise DataRequestError(f"model {model!r} names {len(here)} of your models; you have {names}")
        return here[0]

    def create_model(self, name: str, *, tournament: int | None = None) -> answers.Model:
        """Enter a model; a repeat with the same name gives the same model."""
        body: dict[str, JsonValue] = {"name": name, "tournament": tournament or self.tournament}
        return read(answers.Model, self._transport.post("/models", body))

    def submit(
        self,
        predictions: Predictions,
        *,
        model: ModelRef,
        round: int | None = None,  # noqa: A002
    ) -> Submitted:
        """Judge predictions here with the server's code, hand them in, check the receipt and keep it.

        Parameters
        ----------
        predictions : DataFrame, Path or str
            A pandas or polars frame with `id` and `prediction` (a named round: names and `signal`), or a file.
        model : str, int or Model
            One of yours, by name or id.
        round : int, optional
            The current round if not given; a closed one takes a late file, which is scored and never paid.

        Returns
        -------
        Submitted
            A repeat with the same predictions gives the first receipt.

        Raises
        ------
        PredictionFileError
            If the file breaks a rule; nothing is sent then.
        NoOpenRound
            If no round is named and none is open.
        ReceiptMismatch
            If the server acknowledged something else.
        """
        entrant = self.model(model)
        number = self.current_round(entrant.tournament_id).number if round is None else round
        contents = self._contents(predictions, entrant, folder=f"round-{number}")
        judge = self._judge(number)
        if judge is not None:
            judge.demand(contents.content, name=contents.path.name)
        form = _form(contents, {"round": str(number)})
        answer = self._transport.post(f"/models/{entrant.id}/submissions", form=form, key=_new_key())
        taken = read(answers.Taken, answer)
        receipt = check_receipt(taken, contents, model_id=entrant.id, number=number)
        return Submitted(taken.submission, receipt, contents.path, keep_receipt(receipt, contents.path))

    def queue(self, predictions: Predictions, *, model: ModelRef) -> answers.Waiting:
        """Hand in predictions for the next round, which judges them when it opens; parameters as for `submit`."""
        entrant = self.model(model)
        contents = self._contents(predictions, entrant, folder="next")
        answer = self._transport.post(f"/models/{entrant.id}/queue", form=_form(contents, {}), key=_new_key())
        return read(answers.Waiting, answer)

    def preview(
        self,
        predictions: Predictions,
        *,
        model: ModelRef,
        round: int | None = None,  # noqa: A002
    ) -> answers.Preview:
        """Ask what would become of predictions for a named round: coverage, churn and turnover beside their limits.

        Nothing is handed in; parameters as for `submit`.
        """
        entrant = self.model(model)
        number = self.current_round(entrant.tournament_id).number if round is None else round
        contents = self._contents(predictions, entrant, folder=f"round-{number}")
        form = _form(contents, {"round": str(number)})
        return read(answers.Preview, self._transport.post(f"/models/{entrant.id}/submissions/preview", form=form))

    def diagnose(
        self,
        predictions: Predictions,
        *,
        model: ModelRef,
        deadline_s: float = 600.0,
        progress: Callable[[answers.ServerDiagnosis], None] | None = None,
    ) -> answers.ServerDiagnosis:
        """Have predictions of the validation part scored by the server, and wait for it.

        Parameters
        ----------
        predictions : DataFrame, Path or str
            `id` and `prediction` of validation rows, as a frame or a file.
        model : str, int or Model
            One of yours, of a tournament on hidden ids.
        deadline_s : float, default=600
            How long to wait.
        progress : callable, optional
            Told the diagnosis at each look.

        Returns
        -------
        ServerDiagnosis
            Done or failed; the same file on the same data gives the same one. `crowdalpha.client.diagnose` says more,
            and needs no server.

        Raises
        ------
        TookTooLong
            If it is not over by then; it goes on, and the same call waits for it again.
        """
        entrant = self.model(model)
        contents = self._contents(predictions, entrant, folder="validation")
        path, key = f"/models/{entrant.id}/diagnostics", _new_key()
        if len(contents.content) <= MAX_BYTES:
            answer = self._transport.post(path, form=_form(contents, {}), key=key)
        else:
            place = mapping(self._transport.post("/uploads", {"filename": contents.path.name}))
            self._transport.send("PUT", f"/uploads/{place['token']}", content=contents.content)
            answer = self._transport.post(path, {"upload": place["filename"], "source": SOURCE}, key=key)
        asked = read(answers.ServerDiagnosis, answer)
        return wait_for(
            self._transport,
            answers.ServerDiagnosis,
            f"/diagnostics/{asked.id}",
            deadline_s=deadline_s,
            progress=progress,
        )

    def submissions(self, model: ModelRef, *, limit: int = 100) -> Table[answers.Submission]:
        """List what a model handed in, newest first."""
        return self._table(answers.Submission, f"/models/{self.model(model).id}/submissions", {}, limit=limit)

    def queued(self, model: ModelRef) -> list[answers.Waiting]:
        """List what waits for a model's next round, and what became of what waited before, newest first."""
        return read_all(answers.Waiting, self._transport.get(f"/models/{self.model(model).id}/queue"))

    def scores(self, model: ModelRef, *, final: bool = True, limit: int = 1000) -> Table[answers.Score]:
        """List the scores of a model, newest round first; with `final=False` those of every day."""
        return self._table(
            answers.Score, f"/models/{self.model(model).id}/scores", {"final": str(final).lower()}, limit=limit
        )

    def round_scores(
        self,
        round: int,  # noqa: A002
        *,
        by: str = "corr",
        limit: int = 1000,
    ) -> Table[answers.RoundScore]:
        """Rank all models by a score of the last scored day of a round."""
        return self._table(answers.RoundScore, f"/rounds/{round}/scores", {"by": by}, limit=limit)

    def leaderboard(
        self,
        tournament: int | None = None,
        *,
        by: str = "corr",
        last: int = 0,
        staked: bool = True,
        limit: int = 1000,
    ) -> Table[answers.ModelStanding]:
        """Rank the models of a tournament by their resolved rounds.

        Parameters
        ----------
        tournament : int, optional
            The client's if not given.
        by : str, default="corr"
            A score or `profit`.
        last : int, default=0
            Over how many of the last rounds, of the spans that the server keeps; 0 is all.
        staked : bool, default=True
            Rounds with something at risk, or those with nothing.
        limit : int, default=1000
            Most rows.

        Returns
        -------
        Table
            Best first; `to_polars` and `to_pandas` make a frame of it.
        """
        params: Params = {"by": by, "last": last, "staked": str(staked).lower()}
        path = f"/tournaments/{tournament or self.tournament}/leaderboards/models"
        return self._table(answers.ModelStanding, path, params, limit=limit)

    def stake(self, model: ModelRef) -> answers.Stake:
        """Read what a model has at stake."""
        return read(answers.Stake, self._transport.get(f"/models/{self.model(model).id}/stake"))

    def increase_stake(self, model: ModelRef, amount: Decimal | str, *, key: str | None = None) -> answers.Stake:
        """Move free money into the stake of a model.

        Parameters
        ----------
        model : str, int or Model
            One of yours.
        amount : Decimal or str
            In the tournament's unit; never a float.
        key : str, optional
            One wish, one key: a repeat under the same key moves nothing. A new one each call if not given, which is
            still sent again by itself where an answer was lost.

        Returns
        -------
        Stake
            As it is after that.
        """
        return self._move(model, amount, "increase", key)

    def decrease_stake(self, model: ModelRef, amount: Decimal | str, *, key: str | None = None) -> answers.Stake:
        """Take money out of the stake of a model; free when the rounds that it may owe to are resolved.

        Parameters as for `increase_stake`.
        """
        return self._move(model, amount, "decrease", key)

    def balances(self) -> Table[answers.Balance]:
        """List what your account and models hold."""
        return self._table(answers.Balance, "/account/balances", {}, limit=None)

    def transfers(self, *, limit: int = 100) -> Table[answers.Transfer]:
        """List what moved on your account and models, newest first."""
        return self._table(answers.Transfer, "/account/transfers", {}, limit=limit)

    def jobs(self) -> list[answers.Job]:
        """List the work that the server did or does for you, newest first."""
        return read_all(answers.Job, self._transport.get("/jobs"))

    def wait(
        self, job: int, *, deadline_s: float = 600.0, progress: Callable[[answers.Job], None] | None = None
    ) -> answers.Job:
        """Wait until work on the server is over.

        Parameters
        ----------
        job : int
            Its id.
        deadline_s : float, default=600
            How long.
        progress : callable, optional
            Told the job at each look.

        Returns
        -------
        Job
            Done or failed.

        Raises
        ------
        TookTooLong
            If it is not over by then; it goes on.
        """
        return wait_for(self._transport, answers.Job, f"/jobs/{job}", deadline_s=deadline_s, progress=progress)

    def _judge(self, number: int) -> Judge | None:
        if number not in self._judges:
            self._judges[number] = fetch_judge(self._transport, number, self.folder / "rounds" / str(number))
        return self._judges[number]

    def _contents(self, predictions: Predictions, model: answers.Model, *, folder: str) -> Contents:
        kinds = {each.id: each.kind for each in self.tournaments()} if not isinstance(predictions, Path | str) else {}
        kept_at = self.folder / "submissions" / folder / f"{model.id}.parquet"
        return contents_of(predictions, kept_at=kept_at, named=kinds.get(model.tournament_id) == "named")

    def _move(
        self, model: ModelRef, amount: Decimal | str, way: Literal["increase", "decrease"], key: str | None
    ) -> answers.Stake:
        if isinstance(amount, float):
            raise DataRequestError(f"amount {amount} is a float; write it as text or Decimal, so that nothing is lost")
        path = f"/models/{self.model(model).id}/stake/{way}"
        text = f"{Decimal(amount):f}" if isinstance(amount, Decimal) else amount
        return read(answers.Stake, self._transport.post(path, {"amount": text}, key=key or _new_key()))

    def _table(self, kind: type[A], path: str, params: Params, *, limit: int | None) -> Table[A]:
        return fetch_table(self._transport, kind, path, params, limit=limit)


def _form(contents: Contents, said: Mapping[str, str]) -> Form:
    return Form(contents.path.name, contents.content, {"source": SOURCE, **said})


def _new_key() -> str:
    return uuid.uuid4().hex
