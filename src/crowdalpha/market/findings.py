"""What is noted when a market is built, beside the rules of `checks.RULES`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from crowdalpha.market.arrays import BoolArray, Float32Array, IntArray
from crowdalpha.market.checks import Action, CheckReport, Finding
from crowdalpha.market.features.declaration import Column, Feature
from crowdalpha.market.fundamentals import Filings
from crowdalpha.market.groups import Groups
from crowdalpha.market.prices import PricePanel

__all__ = ["BUILD_RULES", "note_empty_features", "note_empty_sectors", "usable_features", "with_findings"]

BUILD_RULES: Mapping[str, tuple[Action, str]] = MappingProxyType(
    {
        "feature_unusable": (
            "dropped",
            "features that need a column, sectors, countries or reports that are not there",
        ),
        "feature_empty": ("noted", "features without a value in the first, the middle and the last era: kept, missing"),
        "sector_empty": ("noted", "eras in which a sector that had members has none: its factor is left out of them"),
        "filing_unknown_ticker": ("dropped", "reports of tickers without prices"),
        "filing_before_period_end": ("dropped", "reports dated before the end of the period that they are about"),
        "filing_focus_unknown": ("dropped", "reports whose period_focus is none of Q1, Q2, Q3, Q4 and FY"),
        "filing_after_panel": ("noted", "reports that came after the last day of the panel: never used"),
    }
)


def usable_features(
    panel: PricePanel, features: Iterable[Feature], *, filings: Filings | None
) -> tuple[tuple[Feature, ...], Finding | None]:
    """Leave out the features that need what is not there.

    Parameters
    ----------
    panel : PricePanel
        Prices.
    features : iterable of Feature
        What is wanted.
    filings : Filings, optional
        Company reports.

    Returns
    -------
    features : tuple of Feature
        Those whose needs are met, in order.
    finding : Finding or None
        How many were left out, the first with what it needs.

    Notes
    -----
    NaN policy: a column without a value counts as not there. Cost: O(n_days * n_assets).
    """
    prices: tuple[Column, ...] = ("open", "high", "low", "volume")
    missing = {column for column in prices if bool(np.isnan(getattr(panel, column)).all())}
    missing |= {"sectors"} if len(Groups.of(panel.sector).names) < 2 else set()  # noqa: PLR2004  # two to compare
    missing |= {"countries"} if len(Groups.of(panel.country).names) < 2 else set()  # noqa: PLR2004  # two to compare
    missing |= {"filings"} if filings is None else set()
    wanted = tuple(features)
    left_out = [feature for feature in wanted if missing & set(feature.needs)]
    if not left_out:
        return wanted, None
    first = left_out[0]
    lacks = next(need for need in first.needs if need in missing)
    finding = _finding("feature_unusable", len(left_out), f"{first.name} needs {lacks}")
    return tuple(feature for feature in wanted if feature not in left_out), finding


def note_empty_features(features: tuple[Feature, ...], probes: Iterable[Float32Array]) -> Finding | None:
    """Count the features without any value.

    Parameters
    ----------
    features : tuple of Feature
        In the order of the last axis of the probes.
    probes : iterable of ndarray of shape (1, n_assets, n_features), dtype=float32
        Values of some eras.

    Returns
    -------
    Finding or None
        How many there are, and the first.

    Notes
    -----
    NaN policy: omit. Cost: O(n_assets * n_features) a probe.
    """
    empty = np.ones(len(features), dtype=np.bool_)
    for probe in probes:
        empty &= np.isnan(probe).all(axis=(0, 1))
    if not empty.any():
        return None
    return _finding("feature_empty", int(empty.sum()), features[int(empty.argmax())].name)


def note_empty_sectors(panel: PricePanel, era_rows: IntArray, universe: BoolArray) -> Finding | None:
    """Count the eras in which a sector that had members before has none.

    Parameters
    ----------
    panel : PricePanel
        Sectors and days.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era.
    universe : ndarray of shape (n_eras, n_assets), dtype=bool
        Members.

    Returns
    -------
    Finding or None
        How many pairs of era and sector there are, and the first.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_eras * n_assets).
    """
    sectors = Groups.of(panel.sector)
    filled = sectors.sums(universe.astype(np.float64)) > 0
    vanished = np.logical_or.accumulate(filled, axis=0) & ~filled
    if not vanished.any():
        return None
    era, sector = np.argwhere(vanished)[0]
    return _finding("sector_empty", int(vanished.sum()), f"{sectors.names[sector]} on {panel.dates[era_rows[era]]}")


def with_findings(report: CheckReport, found: Iterable[Finding | None]) -> CheckReport:
    """Append findings of a build to those of the files.

    Parameters
    ----------
    report : CheckReport
        Findings of the files.
    found : iterable of Finding or None
        Findings of `BUILD_RULES`; None is left out.

    Returns
    -------
    CheckReport
        All of them.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_findings).
    """
    return replace(report, findings=(*report.findings, *(finding for finding in found if finding is not None)))


def _finding(rule: str, count: int, example: str) -> Finding:
    return Finding(rule, count=count, action=BUILD_RULES[rule][0], example=example)
