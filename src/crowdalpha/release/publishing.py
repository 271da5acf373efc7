"""The last step before a data set goes out: there is an audit of it, and it keeps the limits of its policy."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from crowdalpha.release.audit import AttackResult, AuditReport, GateResult, gate, limits_of
from crowdalpha.release.errors import ManifestError, ReleaseError
from crowdalpha.release.manifest import read_manifest

__all__ = ["AUDIT_NAME", "publishable", "read_audit"]

AUDIT_NAME = "audit.json"
MAX_BYTES = 1 << 24
FIGURES = ("success", "success_at_10", "chance", "expected_rank", "bits", "ci_low", "ci_high")


def publishable(directory: Path, *, report: Path | None = None) -> GateResult:
    """Let a data set pass only with an audit that keeps the limits of its policy, or says why it goes out all the same.

    Parameters
    ----------
    directory : Path
        The data set.
    report : Path, default=None
        The audit report as JSON; `audit.json` in the folder if not given.

    Returns
    -------
    GateResult
        Passed; `failures` are those that the report's override accepts.

    Raises
    ------
    ManifestError
        If the folder has no manifest, or the report is missing or not one.
    ReleaseError
        If the report is of another release, or a limit is broken; names each.

    Notes
    -----
    NaN policy: refuse. Cost: reading two JSON files.
    """
    manifest = read_manifest(directory)
    found = read_audit(report or directory / AUDIT_NAME)
    if (found.release, found.policy) != (manifest.version, manifest.policy):
        raise ReleaseError(
            f"the audit is of {found.release} ({found.policy}) and the data set is {manifest.version} "
            f"({manifest.policy}); audit this one"
        )
    groups = manifest.rules.get("group_size", 1)
    result = gate(found, limits_of(manifest.policy, group_size=int(groups)))
    if not result.passed:
        broken = "; ".join(failure.words for failure in result.failures)
        raise ReleaseError(
            f"{manifest.version} must not be published under policy {manifest.policy}: {broken}. Change the release, "
            "or audit it again with --override and a reason that stays in the report"
        )
    return result


def read_audit(path: Path) -> AuditReport:
    """Read an audit report.

    Raises
    ------
    ManifestError
        If it is missing, too large or not what an audit writes.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ManifestError(path.name, f"larger than {MAX_BYTES} bytes; this is no audit report")
        fields = json.loads(path.read_bytes())
        results = tuple(_result(name, each) for name, each in fields["results"].items())
        return AuditReport(
            release=str(fields["release"]),
            policy=str(fields["policy"]),
            n_eras=int(fields["eras"]),
            n_rows=int(fields["rows"]),
            n_features=int(fields["features"]),
            n_signals=int(fields["public_signals"]),
            results=results,
            skipped={str(name): str(why) for name, why in fields["skipped"].items()},
            override=None if fields["override"] is None else str(fields["override"]),
        )
    except FileNotFoundError as error:
        raise ManifestError(path.name, f"missing in {path.parent}; run `crowdalpha dataset audit` first") from error
    except OSError as error:
        raise ManifestError(path.name, f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(path.name, "is no audit report; run `crowdalpha dataset audit` again") from error


def _result(name: str, fields: Mapping[str, float]) -> AttackResult:
    figures = {figure: float(fields[figure]) for figure in FIGURES}
    if not all(map(math.isfinite, figures.values())):  # a NaN would be below every limit
        raise ValueError(f"{name} has a figure that is no number")
    return AttackResult(attack=name, seconds=0.0, detail={}, **figures)
