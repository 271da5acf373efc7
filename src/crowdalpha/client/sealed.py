"""A participant's side of the sealed track: fetch a round's encrypted era, and hand in what a model made of it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from crowdalpha.client.downloads import Told, download
from crowdalpha.client.errors import ServerUnreachable
from crowdalpha.client.transport import Transport
from crowdalpha.errors import InputError
from crowdalpha.release.sealed import (
    AdditiveModel,
    Container,
    Expected,
    Forest,
    LinearModel,
    Model,
    MomentRidge,
    Progress,
    PublicKeys,
    Sources,
    SquareNet,
    check_submission,
    open_era,
    open_moments,
    open_public,
    run_plan,
    write_submission,
)

__all__ = [
    "AdditiveModel",
    "Forest",
    "LinearModel",
    "Model",
    "MomentRidge",
    "SealedFiles",
    "SealedOffer",
    "SquareNet",
    "fetch_sealed",
    "list_sealed",
    "open_sealed",
    "run_sealed",
    "sealed_content",
    "submit_sealed",
]

PUBLIC, ERA, MOMENTS = "public", "era", "moments"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    part: str
    sha256: str
    n_bytes: int


class SealedOffer(BaseModel):
    """An encrypted era that a round offers.

    Parameters
    ----------
    round : int
        The round.
    profile : str
        The parameter set, which decides what models run on it.
    key_id : str
        Name of the keys.
    n_rows : int
        Rows of the era.
    answers_left : int
        Scores that the key may still give.
    claim : str
        What the operator claims.
    files : tuple
        Parts, hashes and sizes.
    """

    model_config = ConfigDict(frozen=True)

    round: int
    profile: str
    key_id: str
    n_rows: int
    answers_left: int
    claim: str
    files: tuple[_File, ...]


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """A round's files, opened: every hash was checked and all belong together.

    Parameters
    ----------
    public : PublicKeys
        The public bundle.
    era : Container
        The encrypted era.
    moments : Container or None
        Encrypted moments, where the round has them.
    """

    public: PublicKeys
    era: Container
    moments: Container | None


def list_sealed(transport: Transport, number: int) -> tuple[SealedOffer, ...]:
    """List what a round offers.

    Parameters
    ----------
    transport : Transport
        The server.
    number : int
        The round.

    Returns
    -------
    tuple of SealedOffer
        By parameter set.

    Raises
    ------
    Refused
        If there is no such round.
    """
    try:
        return TypeAdapter(tuple[SealedOffer, ...]).validate_python(transport.get(f"/rounds/{number}/sealed"))
    except ValidationError as error:
        raise ServerUnreachable(
            "the server answers in a form that this version does not know; update crowdalpha"
        ) from error


def fetch_sealed(
    transport: Transport, number: int, folder: Path, *, profiles: Sequence[str] = (), told: Told | None = None
) -> dict[str, SealedFiles]:
    """Download a round's encrypted eras and open them.

    Parameters
    ----------
    transport : Transport
        The server.
    number : int
        The round.
    folder : Path
        Where files go: a folder a parameter set. What is there already is not fetched again.
    profiles : sequence of str, default=()
        Parameter sets wanted; none names all.
    told : callable, optional
        Told how many bytes of a file are there.

    Returns
    -------
    dict of str to SealedFiles
        By parameter set.

    Raises
    ------
    InputError
        If the round does not offer what is wanted.
    DownloadDamaged, SealedFileError
        If a file is not what the server named.
    """
    offers = [offer for offer in list_sealed(transport, number) if not profiles or offer.profile in profiles]
    missing = set(profiles) - {offer.profile for offer in offers}
    if missing or not offers:
        raise InputError(f"round {number} offers no encrypted era{f' of {min(missing)}' if missing else ''}")
    for offer in offers:
        for file in offer.files:
            path = f"/rounds/{number}/sealed/{offer.profile}/{file.part}"
            target = folder / offer.profile / f"{file.part}.sealed"
            download(transport, path, target, sha256=file.sha256, n_bytes=file.n_bytes, told=told)
    return {offer.profile: open_sealed(folder / offer.profile) for offer in offers}


def open_sealed(folder: Path) -> SealedFiles:
    """Open the files of a parameter set that `fetch_sealed` brought.

    Parameters
    ----------
    folder : Path
        With `public.sealed`, `era.sealed`, and `moments.sealed` where there are.

    Returns
    -------
    SealedFiles
        Checked.

    Raises
    ------
    SealedFileError
        If a file is missing or damaged, or they do not belong together.
    """
    public = open_public(folder / f"{PUBLIC}.sealed")
    moments = folder / f"{MOMENTS}.sealed"
    return SealedFiles(
        public,
        open_era(folder / f"{ERA}.sealed", public),
        open_moments(moments, public) if moments.exists() else None,
    )


def run_sealed(
    model: Model,
    files: SealedFiles,
    path: Path,
    *,
    workers: int = 1,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Container:
    """Plan a model on a round's files, run it, and write the submission.

    Parameters
    ----------
    model : Model
        `LinearModel`, `AdditiveModel`, `Forest`, `SquareNet` or `MomentRidge`.
    files : SealedFiles
        Of a parameter set that runs it.
    path : Path
        Where the submission goes.
    workers, folder, progress
        As `crowdalpha.release.sealed.run_plan` takes them.

    Returns
    -------
    Container
        The submission.

    Raises
    ------
    SealedError
        If the model cannot run on these files; says what to change.
    """
    plan = model.plan(Sources(files.era, files.moments))
    return write_submission(plan, run_plan(plan, files.public, workers=workers, folder=folder, progress=progress), path)


def sealed_content(model: Model, files: SealedFiles) -> bytes:
    """Run a model on a round's files in this process, and give the submission as bytes.

    Parameters
    ----------
    model : Model
        What is computed.
    files : SealedFiles
        Of a parameter set that runs it.

    Returns
    -------
    bytes
        What `run_sealed` would have written.

    Raises
    ------
    SealedError
        If the model cannot run on these files; says what to change.
    """
    with tempfile.TemporaryDirectory(prefix="sealed") as folder:
        return run_sealed(model, files, Path(folder) / "mine.sealed").path.read_bytes()


def submit_sealed(transport: Transport, path: Path, *, model_id: int, era: Container) -> dict[str, JsonValue]:
    """Check a sealed submission as far as its own round goes, and send it.

    Parameters
    ----------
    transport : Transport
        The server.
    path : Path
        As `write_submission` wrote it.
    model_id : int
        The model it is of.
    era : Container
        The era it was computed on.

    Returns
    -------
    dict of str to JSON
        The receipt.

    Raises
    ------
    SealedFileError
        If the file is not a submission to that era; nothing is sent then.
    Refused
        If the server says no.
    """
    check_submission(path, Expected.of(era))
    answer = transport.send(
        "POST",
        f"/rounds/{era.content.round}/sealed/submissions",
        params={"model_id": model_id},
        content=path.read_bytes(),
        repeat=True,
    ).json()
    if not isinstance(answer, dict):
        raise ServerUnreachable("the server answers in a form that this version does not know; update crowdalpha")
    return answer
