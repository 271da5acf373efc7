"""The last step before a data set goes out: there is an audit of it, and it keeps the limits of its policy."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from crowdalpha.release.audit import AttackResult, AuditReport, GateResult, gate, limits_of
from crowdalpha.release.audit.report import REPORT_FORMAT
from crowdalpha.release.errors import ManifestError, ReleaseError
from crowdalpha.release.manifest import MANIFEST_NAME, file_entry, verify_manifest

__all__ = ["AUDIT_NAME", "publishable", "read_audit"]

AUDIT_NAME = "audit.json"
MAX_BYTES = 1 << 24
SHOWN = 12
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
        If the folder is not what its manifest says, or the report is missing or not one.
    ReleaseError
        If the report is of another release or of other files, or a limit is broken; names each.

    Notes
    -----
    A folder that was built again is other files, even under the same version. NaN policy: refuse. Cost: hashing the
    folder.
    """
    manifest = verify_manifest(directory)
    found = read_audit(report or directory / AUDIT_NAME)
    if (found.release, found.policy) != (manifest.version, manifest.policy):
        raise ReleaseError(
            f"the audit is of {found.release} ({found.policy}) and the data set is {manifest.version} "
            f"({manifest.policy}); audit this one"
        )
    sha256 = file_entry(directory / MANIFEST_NAME, rows=0).sha256
    if found.manifest != sha256:
        raise ReleaseError(
            f"the audit is of other files than these of {manifest.version}: the manifest has SHA-256 "
            f"{sha256[:SHOWN]}… and the audited one {(found.manifest or 'none')[:SHOWN]}…; audit this folder"
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
        if fields["format"] != REPORT_FORMAT:
            problem = (
                f"has format {fields['format']!r} and {REPORT_FORMAT} is read; run `crowdalpha dataset audit` again"
            )
            raise ManifestError(path.name, problem)
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
            manifest=None if fields["manifest"] is None else str(fields["manifest"]),
        )
    except FileNotFoundError as error:
        raise ManifestError(path.name, f"missing in {path.parent}; run `crowdalpha dataset audit` first") from error
    except OSError as error:
        raise ManifestError(path.name, f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(path.name, "is no audit report; run `crowdalpha dataset audit` again") from error


def _result(name: str, fields: Mapping[str, object]) -> AttackResult:
    figures = {figure: float(str(fields[figure])) for figure in FIGURES}
    if not all(map(math.isfinite, figures.values())):  # a NaN would be below every limit
        raise ValueError(f"{name} has a figure that is no number")
    more = fields["detail"]
    if not isinstance(more, dict):
        raise TypeError(f"{name} has no detail")
    detail = {str(key): _detail(value) for key, value in more.items()}
    return AttackResult(attack=name, seconds=0.0, detail=detail, **figures)


def _detail(value: object) -> float | int | str | list[str]:
    if isinstance(value, float | int | str):
        return value
    if isinstance(value, list):
        return [str(each) for each in value]
    raise TypeError("a figure of the detail is neither number, text nor list of texts")
