"""Audit a published folder: its files, then its rows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from crowdalpha.market import Market
from crowdalpha.release.audit.artefacts import file_leaks
from crowdalpha.release.audit.attacks import FILES
from crowdalpha.release.audit.leaks import leak_result
from crowdalpha.release.audit.report import AuditReport
from crowdalpha.release.audit.runner import Subject, audit
from crowdalpha.release.audit.source import Stage, public_data, read_published, truth_of
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.keyfile import KeyFile
from crowdalpha.release.manifest import MANIFEST_NAME, Manifest, file_entry, verify_manifest

__all__ = ["audit_folder"]

TARGET_PREFIX = "target_"
Progress = Callable[[str, float], None]


def audit_folder(
    folder: Path,
    *,
    key_file: KeyFile,
    market: Market | None,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> AuditReport:
    """Attack a published folder as an outsider with public prices would.

    Parameters
    ----------
    folder : Path
        A data set with its manifest.
    key_file : KeyFile
        Of the release; it tells the truth that guesses are counted by.
    market : Market or None
        Made from public prices of the same assets and weeks. Without it the attacks that need prices are skipped.
    rng : numpy.random.Generator
        All chance of all attacks.
    progress : callable of (str, float), default=None
        Told what is done and the share done.

    Returns
    -------
    AuditReport
        With `files` as the last result, and the SHA-256 of the folder's manifest.

    Raises
    ------
    ReleaseError
        If key file, prices and folder do not belong together.
    ManifestError
        If a file is missing or is not the one that the manifest lists: the report is of those files and no others.

    Notes
    -----
    NaN policy: propagate. Cost: that of reading and of `audit`.
    """
    manifest = verify_manifest(folder)
    catalogue = key_file.catalogue
    if catalogue is None:
        raise ReleaseError("the key file knows no release; take the key file that the data set was built with")
    if progress is not None:
        progress("files", 0.0)
    start = perf_counter()
    leaks = file_leaks(folder, real_names=(*catalogue.tickers, *catalogue.feature_names))
    files = replace(leak_result(FILES, leaks), seconds=perf_counter() - start)
    stage = Stage.of(catalogue, market)
    public = None if market is None else public_data(market, stage=stage, target=_paid_target(manifest, market))
    published, names = read_published(folder)
    truth = truth_of(
        published,
        names,
        version=manifest.version,
        key_file=key_file,
        stage=stage,
        signals=() if public is None else public.names,
    )
    subject = Subject(
        release=manifest.version,
        policy=manifest.policy,
        measured=(files,),
        manifest=file_entry(folder / MANIFEST_NAME, rows=0).sha256,
    )
    return audit(published, public, truth, rng=rng, subject=subject, progress=progress)


def _paid_target(manifest: Manifest, market: Market) -> str:
    """Give the target of the market that pays, as the manifest has it; else the first one."""
    named = str(manifest.facts.get("target", "")).removeprefix(TARGET_PREFIX)
    return named if named in market.targets else min(market.targets)
