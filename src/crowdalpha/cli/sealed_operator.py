"""The operator's commands of `crowdalpha sealed`: keys, encrypted eras, opening."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import polars as pl
import typer

from crowdalpha.errors import InputError
from crowdalpha.release.sealed import (
    PROFILES,
    EpochKeys,
    generate_keys,
    load_secret,
    profile_named,
    save_secret,
    write_era,
    write_moments,
    write_public,
)
from crowdalpha.rules.errors import Conflict
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.rounds.service import get_round, live_ids
from crowdalpha.server.sealed import service
from crowdalpha.server.settings import load_settings

__all__ = ["keygen", "open_submissions", "publish"]

ID, ERA, DATA_TYPE = "id", "era", "data_type"
TARGET_PREFIX = "target"

Number = Annotated[int, typer.Option("--round", min=1, help="The round.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the platform.")]


def keygen(
    profile: Annotated[
        list[str] | None, typer.Option(help=f"Parameter set, of {', '.join(PROFILES)}. Repeatable; all by default.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Draw keys for a round to come, one a parameter set, and destroy the secrets of rounds that are over."""
    with open_platform(load_settings(data_dir=data_dir)) as platform:
        for name in profile or PROFILES:
            keys, public = generate_keys(profile_named(name))
            save_secret(keys, service.secret_path(_secrets(platform), keys.key_id))
            with TemporaryDirectory(prefix="sealed") as folder, platform.session() as session:
                bundle = Path(folder) / "public.sealed"
                write_public(public, bundle)
                service.add_key(session, blobs=platform.blobs, public=bundle, now=_now())
            typer.echo(f"{name}: key {keys.key_id[:12]}, secret in {_secrets(platform)}")
        with platform.session() as session:
            wiped = service.wipe_finished(session, secrets=_secrets(platform), now=_now())
    for key_id in wiped:
        typer.echo(f"secret of key {key_id[:12]} destroyed: its round is over")


def publish(
    number: Number,
    live: Annotated[Path, typer.Option(help="Live rows: Parquet with id and features in bins 0 to 4.")],
    history: Annotated[
        Path | None, typer.Option(help="Past rows with era and target, for moments to train on (ckks-train-1).")
    ] = None,
    target: Annotated[str, typer.Option(help="Target of the moments.")] = "target",
    sets: Annotated[int, typer.Option(min=1, help="Sets of moments: the eras of the history, in so many parts.")] = 10,
    feature: Annotated[list[str] | None, typer.Option(help="Feature to publish; all by default. Repeatable.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Encrypt a round's era under each key that serves no round yet, and offer it."""
    rows, past = _frame(live), None if history is None else _frame(history)
    with open_platform(load_settings(data_dir=data_dir)) as platform:
        with platform.session() as session:
            era = get_round(session, RoundNumber(number)).era
            ordered = _in_order(rows, live_ids(session, RoundNumber(number)), live)
            waiting = service.list_unused_keys(session)
        if not waiting:
            raise Conflict("there is no key that serves no round yet; run crowdalpha sealed keygen first")
        for key in waiting:
            keys = load_secret(service.secret_path(_secrets(platform), key.key_id))
            with TemporaryDirectory(prefix="sealed") as folder, platform.session() as session:
                names = feature or _features(rows)
                place = Path(folder) / "era.sealed"
                write_era(keys, ordered, place, features=names, round_number=number, era=era)
                moments = _moments(keys, past, Path(folder), names=names, target=target, sets=sets, number=number)
                offer = service.offer_round(
                    session, blobs=platform.blobs, number=RoundNumber(number), era=place, moments=moments, now=_now()
                )
                size = platform.blobs.size(offer.era_sha256) / 1e6
            typer.echo(f"round {number}: {key.profile}, {size:,.1f} MB, {offer.answers_left} answers left")


def open_submissions(
    number: Number,
    wipe: Annotated[bool, typer.Option("--wipe", help="Destroy secrets of rounds that are over, too.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Open a round's sealed submissions when it is due to close; they then count as any other."""
    with open_platform(load_settings(data_dir=data_dir)) as platform:
        with platform.session() as session:
            found = service.open_round_submissions(
                session, blobs=platform.blobs, number=RoundNumber(number), secrets=_secrets(platform), now=_now()
            )
        if wipe:
            with platform.session() as session:
                service.wipe_finished(session, secrets=_secrets(platform), now=_now())
    typer.echo(f"round {number}: {found.opened} opened, {found.rejected} rejected, {found.superseded} replaced later")


def _secrets(platform: Platform) -> Path:
    return platform.settings.data_dir / "sealed"


def _now() -> datetime:
    return datetime.now(UTC)


def _frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as Parquet; give rows with id and features in bins 0 to 4") from error


def _features(frame: pl.DataFrame) -> list[str]:
    others = {ID, ERA, DATA_TYPE}
    return [name for name in frame.columns if name not in others and not name.startswith(TARGET_PREFIX)]


def _in_order(frame: pl.DataFrame, ids: tuple[str, ...], path: Path) -> pl.DataFrame:
    if ID not in frame.columns:
        raise InputError(f"{path}: has no column id")
    ordered = pl.DataFrame({ID: list(ids)}).join(frame, on=ID, how="inner", maintain_order="left")
    if ordered.height != len(ids):
        raise InputError(f"{path}: has {ordered.height} of the {len(ids)} live ids of the round; give its live file")
    return ordered


def _moments(
    keys: EpochKeys,
    past: pl.DataFrame | None,
    folder: Path,
    *,
    names: list[str],
    target: str,
    sets: int,
    number: int,
) -> Path | None:
    """Encrypt moments of the history, in parts of consecutive eras, where the parameter set trains."""
    if past is None or keys.profile.name != "ckks-train-1":
        return None
    if ERA not in past.columns:
        raise InputError("the history has no column era")
    eras = sorted(past[ERA].unique().to_list())
    size = -(-len(eras) // sets)
    parts = [past.filter(pl.col(ERA).is_in(eras[at : at + size])) for at in range(0, len(eras), size)]
    path = folder / "moments.sealed"
    write_moments(keys, parts, path, features=names, target=target, round_number=number)
    return path
