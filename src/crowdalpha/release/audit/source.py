"""From a published folder, its key file and public prices to what the attacks read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.audit.data import FeatureArray, FloatArray, IntArray, PublicData, Published, Truth
from crowdalpha.release.errors import ManifestError, ReleaseError
from crowdalpha.release.keyfile import Catalogue, KeyFile
from crowdalpha.release.obfuscation import era_label
from crowdalpha.release.reveal import reveal_columns

__all__ = ["SPLIT_FILES", "Stage", "public_data", "read_published", "truth_of"]

SPLIT_FILES = ("train.parquet", "validation.parquet", "live.parquet")
MAX_SIGNALS = 48
ERAS_AT_ONCE = 16
MAX_CELLS = 600_000_000
"""Bytes of features that are read; a larger release is attacked on its first eras."""
NEAREST_DAYS = 3
_Rows = tuple[FeatureArray, FloatArray, tuple[str, ...], NDArray[np.float32]]
TARGET_PREFIX = "target_"


@dataclass(frozen=True, slots=True)
class Stage:
    """One count of assets and eras for the release and the public data.

    Parameters
    ----------
    assets : tuple of str
        Tickers of the release, then those that only the public data have.
    eras : ndarray of shape (n_days,), dtype=int64
        The public era of each era of the release.
    """

    assets: tuple[str, ...]
    eras: IntArray

    @classmethod
    def of(cls, catalogue: Catalogue, market: Market | None) -> Self:
        """Match tickers by name and eras by day.

        Parameters
        ----------
        catalogue : Catalogue
            Names of the release.
        market : Market or None
            Made from public prices; without it the release counts alone.

        Returns
        -------
        Stage

        Raises
        ------
        ReleaseError
            If the public prices lack a week of the release or share no ticker with it.

        Notes
        -----
        A week's last day may differ by up to three days between calendars. NaN policy: not applicable.
        Cost: O(n_eras log n_eras + n_assets).
        """
        if market is None:
            return cls(catalogue.tickers, np.arange(len(catalogue.days), dtype=np.int64))
        known = set(catalogue.tickers)
        strangers = tuple(ticker for ticker in market.panel.tickers if ticker not in known)
        if len(strangers) == len(market.panel.tickers):
            raise ReleaseError("the public prices share no ticker with the release; give prices of the same assets")
        days = np.array(catalogue.days, dtype="datetime64[D]").astype(np.int64)
        weeks = market.era_dates.astype("datetime64[D]").astype(np.int64)
        after = np.clip(np.searchsorted(weeks, days), 1, len(weeks) - 1)
        nearest = np.where(days - weeks[after - 1] <= weeks[after] - days, after - 1, after)
        far = np.abs(weeks[nearest] - days) > NEAREST_DAYS
        return cls((*catalogue.tickers, *strangers), np.where(far, -1, nearest).astype(np.int64))


def read_published(folder: Path) -> tuple[Published, tuple[str, ...]]:
    """Read the rows of a release.

    Parameters
    ----------
    folder : Path
        With `features.json` and `train.parquet`, `validation.parquet` and `live.parquet`, of which some may lack.

    Returns
    -------
    Published
        Eras in the order of their labels.
    tuple of str
        Names of the features.

    Raises
    ------
    ManifestError
        If a file is missing or lacks a column; names it.

    Notes
    -----
    NaN policy: propagate; a null bin is -1, a null target NaN. Cost: reading; at most 600 MB of features are kept.
    """
    names = _feature_names(folder / "features.json")
    paths = [folder / name for name in SPLIT_FILES if (folder / name).is_file()]
    if not paths:
        raise ManifestError(SPLIT_FILES[0], f"missing in {folder}; name the folder of a data set")
    eras: dict[str, _Rows] = {}
    cells = 0
    others = tuple(name for name in pl.read_parquet_schema(paths[0]) if name.startswith(TARGET_PREFIX))
    for path in paths:
        for label, rows in _eras(path, names, others):
            if label not in eras and cells < MAX_CELLS:
                eras[label] = rows
                cells += rows[0].size
    if not eras:
        raise ManifestError(paths[0].name, "has no rows; build or download the folder again")
    labels = tuple(sorted(eras))
    features, targets, ids, sets = zip(*(eras[label] for label in labels), strict=True)
    named = tuple(name.removeprefix(TARGET_PREFIX) for name in others)
    return Published(labels, features, targets, ids, named, sets if named else ()), names


def truth_of(
    published: Published,
    names: Sequence[str],
    *,
    version: str,
    key_file: KeyFile,
    stage: Stage,
    signals: Sequence[str] = (),
) -> Truth:
    """Find the asset of each row and the feature of each column with the operator's key.

    Parameters
    ----------
    published : Published
        As `read_published` gives it.
    names : sequence of str
        Published names of the features.
    version : str
        Name of the release.
    key_file : KeyFile
        Of the release.
    stage : Stage
        Counts assets and eras.
    signals : sequence of str, default=()
        Real names of the public signals.

    Returns
    -------
    Truth
        A rotated column counts as the feature with the largest weight in it.

    Raises
    ------
    ReleaseError
        If the key file does not know the release, an era, an id or a column, or the public prices lack a week.

    Notes
    -----
    NaN policy: not applicable. Cost: a keyed hash an asset and era, some seconds for a million.
    """
    columns = reveal_columns(version, key_file=key_file)
    catalogue = key_file.catalogue
    n_eras = 0 if catalogue is None else len(catalogue.days)
    tickers = () if catalogue is None else catalogue.tickers
    index, assets = [], []
    for label, ids in zip(published.eras, published.ids, strict=True):
        era = int(label) - 1 if label.isdecimal() else -1
        if not 0 <= era < n_eras or label != era_label(era):
            raise ReleaseError(
                f"era {label} is none of the {n_eras} eras that the key file knows; is it the right key?"
            )
        if stage.eras[era] < 0:
            raise ReleaseError(f"the public prices have no week for era {label}; give prices of the whole period")
        place = {row_id: asset for asset, row_id in enumerate(key_file.key.row_ids(era, tickers))}
        rows = np.array([place.get(row_id, -1) for row_id in ids], dtype=np.int64)
        if (rows < 0).any():
            raise ReleaseError(
                f"era {label}: id {ids[int(rows.argmin())]} was not made with this key; is it the right one?"
            )
        index.append(int(stage.eras[era]))
        assets.append(rows)
    main = columns.with_columns(pl.col("weight").abs()).sort("weight").unique("name", keep="last")
    behind = dict(main.select("name", "feature").iter_rows())
    if unknown := [name for name in names if name not in behind]:
        raise ReleaseError(f"column {unknown[0]} is none of {version} under this key; is it the right one?")
    at = {name: place for place, name in enumerate(signals)}
    public = np.array([at.get(behind[name], -1) for name in names], dtype=np.int64)
    return Truth(tuple(assets), np.array(index, dtype=np.int64), public)


def public_data(market: Market, *, stage: Stage, target: str, signals: Sequence[str] | None = None) -> PublicData:
    """Compute what an outsider with these prices can.

    Parameters
    ----------
    market : Market
        Made from public prices.
    stage : Stage
        Counts assets.
    target : str
        The target of the market whose values he takes for forward returns.
    signals : sequence of str, default=None
        Features of the market that he computes; 48 at most from all groups, if not given.

    Returns
    -------
    PublicData
        Of all eras of the market and all assets of the stage.

    Raises
    ------
    ReleaseError
        If the market has no such target or feature.

    Notes
    -----
    NaN policy: propagate. Cost: that of the features, computed 16 eras at a time.
    """
    if target not in market.targets:
        raise ReleaseError(f"the market has no target '{target}'; it has {', '.join(sorted(market.targets))}")
    names = tuple(signals) if signals is not None else _spread_over_groups(market)
    column = {name: at for at, name in enumerate(market.feature_names)}
    if unknown := sorted(set(names) - set(column)):
        raise ReleaseError(f"the market has no feature '{unknown[0]}'")
    columns = [column[name] for name in names]
    seat = {ticker: at for at, ticker in enumerate(stage.assets)}
    seats = np.array([seat[ticker] for ticker in market.panel.tickers])
    values = np.full((market.n_eras, len(seat), len(names)), np.nan, dtype=np.float32)
    returns = np.full(values.shape[:2], np.nan)
    returns[:, seats] = market.targets[target]
    for first in range(0, market.n_eras, ERAS_AT_ONCE):
        last = min(first + ERAS_AT_ONCE, market.n_eras)
        block = market.feature_block(first, last)[:, :, columns]
        values[first:last, seats] = np.where(market.universe[first:last, :, None], block, np.nan)
    return PublicData(
        names=names, signals=values, returns=returns, target_returns=_target_returns(market, seats, len(seat))
    )


def _target_returns(market: Market, seats: IntArray, n_assets: int) -> dict[str, NDArray[np.float32]]:
    found = {}
    for name, values in market.targets.items():
        found[name] = np.full((market.n_eras, n_assets), np.nan, dtype=np.float32)
        found[name][:, seats] = values
    return found


def _spread_over_groups(market: Market) -> tuple[str, ...]:
    """Go round the groups of features until there are enough."""
    groups = list(market.feature_groups.values())
    depth = max(len(group) for group in groups)
    turns = [group[turn] for turn in range(depth) for group in groups if turn < len(group)]
    return tuple(turns[:MAX_SIGNALS])


def _feature_names(path: Path) -> tuple[str, ...]:
    try:
        sets = json.loads(path.read_bytes())["feature_sets"]
        return tuple(str(name) for name in sets["all"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = "missing, or without the feature set 'all'; name the folder of a data set"
        raise ManifestError(path.name, problem) from error


def _eras(path: Path, names: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, _Rows]]:
    schema = pl.read_parquet_schema(path)
    if missing := [name for name in ("era", "id", *names) if name not in schema]:
        raise ManifestError(path.name, f"has no column '{missing[0]}'; build or download the folder again")
    lazy = pl.scan_parquet(path)
    labels = lazy.select(pl.col("era").unique(maintain_order=True)).collect()["era"].to_list()
    binned = all(schema[name].is_integer() for name in names)
    filled = pl.col(names).fill_null(-1).cast(pl.Int8) if binned else pl.col(names).cast(pl.Float32)
    target = pl.col("target").cast(pl.Float64) if "target" in schema else pl.lit(None, dtype=pl.Float64).alias("target")
    sets = [pl.col(name) if name in schema else pl.lit(None).alias(name) for name in others]
    sets = [each.cast(pl.Float32) for each in sets]
    for start in range(0, len(labels), ERAS_AT_ONCE):
        some = labels[start : start + ERAS_AT_ONCE]
        frame = lazy.filter(pl.col("era").is_in(some)).select("era", "id", target, filled, *sets).collect()
        for (label,), rows in frame.partition_by("era", maintain_order=True, as_dict=True).items():
            features = rows.select(names).to_numpy()
            values: FeatureArray = features.astype(np.int8) if binned else features.astype(np.float32)
            more = rows.select(others).fill_null(float("nan")).to_numpy().astype(np.float32)
            yield str(label), (values, _numbers(rows["target"]), tuple(rows["id"].to_list()), more)


def _numbers(target: pl.Series) -> NDArray[np.float64]:
    return target.fill_null(float("nan")).to_numpy().astype(np.float64)
