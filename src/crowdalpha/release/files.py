"""The files of a data set and of a live round, written whole or not at all, era by era.

Nothing in a file depends on data after the day of publication, and none tells a date, a real name or when it was made.
"""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from crowdalpha import __version__
from crowdalpha.market import Market
from crowdalpha.release.audit.linkage import nearest_is_self
from crowdalpha.release.benchmarks import WalkForward, benchmark_targets
from crowdalpha.release.build import DatasetBuild, Progress, write_live
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.frames import era_rows, stream_rows
from crowdalpha.release.layout import Layout
from crowdalpha.release.manifest import Manifest
from crowdalpha.release.obfuscation import ReleaseKey, era_label
from crowdalpha.release.parts import SplitBuilder
from crowdalpha.release.policies import POLICIES, Policy
from crowdalpha.release.selection import capped_rows, common_rows
from crowdalpha.release.splits import Split, split_eras
from crowdalpha.release.staging import staged_folder
from crowdalpha.release.writer import FolderWriter

__all__ = ["BuildOptions", "build_dataset", "build_live"]

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_META_MODEL_COLUMNS = ["era", "id", "meta_model"]
PLAIN = POLICIES["plain"]
PAIRS = 8
AUDIT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a data set may have beside its rows.

    Parameters
    ----------
    target : str, default="neutral_20"
        The target of the market that pays; it is `target` in the files.
    meta_model : DataFrame, default=None
        `era`, `id` and `meta_model` of past rounds. Those whose target is known are published, the newer ones not yet.
    previous : Manifest, default=None
        An earlier release of the same version: training and row count stay as they are there, and the rounds since
        then join validation with their targets.
    replace : bool, default=False
        Whether another data set at the same place may be replaced.
    """

    target: str = "neutral_20"
    meta_model: pl.DataFrame | None = None
    previous: Manifest | None = None
    replace: bool = False


DEFAULTS = BuildOptions()


def build_dataset(
    market: Market,
    *,
    key: ReleaseKey,
    version: str,
    published: int,
    out: Path,
    policy: Policy = PLAIN,
    options: BuildOptions = DEFAULTS,
    progress: Progress | None = None,
) -> Manifest:
    """Publish a data set: history for training and validation, and the live rows of the day of publication.

    Parameters
    ----------
    market : Market
        What is published.
    key : ReleaseKey
        The operator's secret.
    version : str
        Name of the data set: letters, digits, `.`, `_` and `-`.
    published : int
        Index of the era on whose day the data set is published. Its rows are `live.parquet`; a target is in the files
        if its window has ended by that day, and null else.
    out : Path
        The folder to make.
    policy : Policy, default=POLICIES["plain"]
        What is done to the rows.
    options : BuildOptions, optional
        Target, meta models, earlier release.
    progress : callable of (str, float), default=None
        Told the stage and the share done, 0 to 1.

    Returns
    -------
    Manifest
        Of the folder. If `out` already holds this data set, whole and with the same bytes, it is left as it is.

    Raises
    ------
    ReleaseError
        If the version or target is unknown, too few eras lie before `published`, an era is too small for the policy,
        or `out` holds something else.

    Notes
    -----
    NaN policy: propagate; a missing feature is null (or in the middle, as the policy says) and a target not yet known
    is null. Rows whose `target` was due and cannot be computed are left out and counted in the manifest, or get the
    middle where the policy publishes equal rows. `data_type` is `train`, `validation`, `test` (validation rows whose
    `target` is not known yet) or `live`. The same inputs give the same bytes. Cost: O(eras * assets * features *
    log assets); memory does not grow with the number of eras.
    """
    _check_names(version, options, market)
    build = _Plan.of(market, key=key, version=version, published=published, policy=policy, options=options)
    with staged_folder(out, replace=options.replace) as folder:
        writer = FolderWriter(folder)
        facts = build.write(writer, version=version, meta_model=options.meta_model, tell=progress or _silent)
        manifest = Manifest(
            version=version,
            kind="dataset",
            policy=policy.name,
            inputs=writer.seal(key, version, policy.name),
            files=writer.entries,
            facts=facts,
            audit={} if policy.equal_rows else _linkage(build),
            rules=policy.rules(),
        )
        return writer.manifest(manifest)


def build_live(
    market: Market,
    *,
    key: ReleaseKey,
    era: int,
    round_number: int,
    out: Path,
    example: ExampleModel,
    meta_model: pl.DataFrame | None = None,
    layout: Layout | None = None,
) -> Manifest:
    """Publish the rows of one round: features to predict, the example's predictions, past meta models.

    Parameters
    ----------
    market : Market
        What is published; only features of `era` are read.
    key : ReleaseKey
        The key of the data set, so that features have the same names.
    era : int
        Index of the era.
    round_number : int
        Number of the round; with it the manifest's version is `round-<number>`.
    out : Path
        The folder to make.
    example : ExampleModel
        The example model of the data set.
    meta_model : DataFrame, default=None
        `era`, `id` and `meta_model` of past rounds; None writes no such file.
    layout : Layout, default=None
        Of the data set; None is that of the policy `plain`.

    Returns
    -------
    Manifest
        Of the folder. If `out` already holds this round, whole and with the same bytes, it is left as it is.

    Raises
    ------
    ReleaseError
        If the market has no such era, the example knows other features, `meta_model` has other columns, or `out`
        holds something else.

    Notes
    -----
    NaN policy: propagate; a missing feature is null, or in the middle as the policy says. The same inputs give the same
    bytes. Cost: O(assets * features * log assets).
    """
    layout = layout or Layout.of(market, key)
    if meta_model is not None:
        _check_meta_model(meta_model)
    version = f"round-{round_number}"
    with staged_folder(out) as folder:
        writer = FolderWriter(folder, number=round_number)
        rows = era_rows(market, key=key, layout=layout, era=era)
        live = write_live(writer, rows, layout=layout, example=example)
        if meta_model is not None:
            writer.table("meta_model.parquet", meta_model.select(_META_MODEL_COLUMNS).sort("era", "id"))
        return writer.manifest(
            Manifest(
                version=version,
                kind="live",
                policy=layout.policy.name,
                inputs=writer.seal(key, version, layout.policy.name),
                files=writer.entries,
                facts={"era": era_label(era), "live_rows": live.height, "round": round_number},
                rules=layout.policy.rules(),
            )
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is decided before the first row is written."""

    rows: SplitBuilder
    split: Split
    small_eras: frozenset[int]

    @classmethod
    def of(
        cls, market: Market, *, key: ReleaseKey, version: str, published: int, policy: Policy, options: BuildOptions
    ) -> Self:
        before = _facts_of(options.previous, version=version, policy=policy, target=options.target)
        first_round = before.get("first_round", published)
        split = split_eras(market, published=published, first_validation=before.get("first_validation"))
        eras = [*split.train, *split.validation, published]
        n_rows = before.get("rows") or common_rows(market.universe[eras], policy)
        counts = market.universe.sum(axis=1)
        small = frozenset(era for era in eras[:-1] if n_rows and counts[era] < n_rows)
        layout = Layout.of(market, key, policy=policy, version=version, rows=n_rows)
        if n_rows:
            with_target = [[era for era in eras if era not in small] for eras in _target_eras(split, first_round)]
            layout = replace(
                layout, chosen=capped_rows(market.universe, splits=with_target, rows=n_rows, policy=policy, key=key)
            )
        rows = SplitBuilder(
            market=market,
            key=key,
            layout=layout,
            published=published,
            target=options.target,
            first_round=first_round,
        )
        return cls(rows, split, small)

    def write(
        self, writer: FolderWriter, *, version: str, meta_model: pl.DataFrame | None, tell: Progress
    ) -> dict[str, int | str]:
        names = benchmark_targets(self.rows.target, self.rows.targets)
        build = DatasetBuild(
            writer=writer,
            rows=self.rows,
            split=self.split,
            walk=WalkForward(self.rows.market, names, len(self.rows.layout.names)),
            version=version,
            small_eras=self.small_eras,
            tell=tell,
        )
        tell("train", 0.0)
        example = build.train()
        build.validation(example)
        live_rows = build.live(example)
        build.documents(example)
        build.meta_model(meta_model)
        tell("done", 1.0)
        return build.facts(live_rows) | {"code_version": __version__}


def _facts_of(previous: Manifest | None, *, version: str, policy: Policy, target: str) -> dict[str, int]:
    if previous is None:
        return {}
    wanted = {"version": version, "policy": policy.name, "target": f"target_{target}"}
    found = {"version": previous.version, "policy": previous.policy, "target": previous.facts.get("target")}
    other = next((name for name in wanted if wanted[name] != found[name]), None)
    if other or previous.rules != policy.rules():
        name = other or "rules"
        raise ReleaseError(
            f"the earlier release has another {name} ({found.get(name, 'see its manifest')}); "
            "give the new one a version of its own, or build it in the same way"
        )
    first = int(previous.facts["validation_first_era"]) - 1
    rows = int(previous.facts.get("rows_per_era", 0))
    first_round = int(previous.facts.get("first_round_era", previous.facts["live_era"])) - 1
    return {"first_validation": first, "rows": rows, "first_round": first_round}


def _target_eras(split: Split, first_round: int) -> tuple[range, range]:
    """Give the eras of training and of validation that targets are published of: no round, however late it is built."""
    validation = split.validation
    return split.train, range(validation.start, min(validation.stop, first_round))


def _linkage(plan: _Plan) -> dict[str, float]:
    """Link the rows of the last eras to those of the next by nearest neighbour, which is the simplest attack."""
    last = plan.rows.published
    eras = list(
        stream_rows(plan.rows.market, key=plan.rows.key, layout=plan.rows.layout, eras=range(last - PAIRS, last))
    )
    success = []
    for before, after in pairwise(eras):
        _, stays, partner = np.intersect1d(before.assets, after.assets, assume_unique=True, return_indices=True)
        if stays.size:
            success.append(nearest_is_self(before.bins[stays], after.bins, partner))
    return {
        "linkage_next_era_chance": round(float(np.mean([1 / len(rows.ids) for rows in eras[1:]])), AUDIT_DIGITS),
        "linkage_next_era_pairs": len(success),
        "linkage_next_era_success": round(float(np.mean(success)) if success else 0.0, AUDIT_DIGITS),
    }


def _check_names(version: str, options: BuildOptions, market: Market) -> None:
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"version {version!r} may hold letters, digits, '.', '_' and '-', 64 at most")
    if options.target not in market.targets:
        raise ReleaseError(f"the market has no target '{options.target}'; it has {', '.join(sorted(market.targets))}")
    if options.meta_model is not None:
        _check_meta_model(options.meta_model)


def _check_meta_model(meta_model: pl.DataFrame) -> None:
    if set(meta_model.columns) != set(_META_MODEL_COLUMNS):
        raise ReleaseError(f"the meta model needs the columns era, id and meta_model, not {meta_model.columns}")


def _silent(_stage: str, _share: float) -> None:
    """Tell nobody."""
