import hashlib
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from crowdalpha.release import POLICIES, ManifestError, ReleaseError, build_dataset
from crowdalpha.release.audit import AttackResult, AuditReport, limits_of
from crowdalpha.release.audit.leaks import Leak, leak_result
from crowdalpha.release.publishing import publishable, read_audit
from tests.fixtures.releases import KEY, small_market

REASON = "Shown to two partners who signed for it."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("publish") / "data"
    build_dataset(small_market(n_assets=60), key=KEY, version="v1", published=55, out=out, policy=POLICIES["hardened"])
    return out


def sha256_of_manifest(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def report(
    *, success: float, version: str = "v1", policy: str = "hardened", manifest: str | None = None
) -> AuditReport:
    results = tuple(
        AttackResult(name, min(success, limit), 0.2, 0.01, 3.0, 2.0, 0.0, 0.3, 0.0, {})
        for name, limit in limits_of("hardened").items()
        if name != "tickers"
    )
    tickers = AttackResult("tickers", success, 0.2, 0.01, 3.0, 2.0, 0.0, 0.3, 0.0, {})
    return AuditReport(version, policy, 50, 1000, 30, 10, (*results, tickers), {}, manifest=manifest)


def written(path: Path, content: AuditReport) -> Path:
    path.write_bytes(content.to_bytes())
    return path


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    content = report(success=0.04, manifest="ab" * 32).with_override(REASON)

    found = read_audit(written(tmp_path / "a.json", content))

    assert sorted(found.results, key=lambda result: result.attack) == sorted(
        content.results, key=lambda result: result.attack
    )
    assert (found.release, found.policy, found.n_rows, found.override) == ("v1", "hardened", 1000, REASON)
    assert found.manifest == "ab" * 32


def test_the_detail_is_read_too_so_that_verdict_and_advice_stay(tmp_path: Path) -> None:
    leaks = leak_result("static", [Leak("row_count", "eras have 900 to 1,000 rows")])
    calendar = AttackResult("calendar", 0.5, 0.6, 0.1, 2.0, 3.0, 0.4, 0.6, 0.0, {"z": 3.5})
    content = replace(report(success=0.04), results=(leaks, calendar))

    found = read_audit(written(tmp_path / "a.json", content))

    assert [result.detail for result in found.results] == [{"z": 3.5}, leaks.detail]
    assert found.advice()[-1] == "publish the same number of rows in every era"
    assert "Eras have 900 to 1,000 rows." in found.verdict()


def test_a_release_that_keeps_its_limits_may_be_published(folder: Path, tmp_path: Path) -> None:
    content = report(success=0.04, manifest=sha256_of_manifest(folder))

    assert publishable(folder, report=written(tmp_path / "a.json", content)).passed


def test_a_release_without_an_audit_is_refused(folder: Path) -> None:
    with pytest.raises(ManifestError, match=r"^audit\.json: missing"):
        publishable(folder)


def test_a_broken_limit_is_refused_and_named(folder: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", report(success=0.9, manifest=sha256_of_manifest(folder)))

    with pytest.raises(
        ReleaseError, match=r"must not be published under policy hardened: .*0\.900 is above the limit 0\.05"
    ):
        publishable(folder, report=path)


def test_a_reason_lets_it_pass_and_the_failure_is_still_told(folder: Path, tmp_path: Path) -> None:
    content = report(success=0.9, manifest=sha256_of_manifest(folder)).with_override(REASON)
    result = publishable(folder, report=written(tmp_path / "a.json", content))

    assert [failure.attack for failure in result.failures] == ["tickers"]


@pytest.mark.parametrize("other", [{"version": "v2"}, {"policy": "plain"}])
def test_the_audit_of_another_release_is_refused(folder: Path, tmp_path: Path, other: dict[str, str]) -> None:
    with pytest.raises(ReleaseError, match="audit this one"):
        publishable(folder, report=written(tmp_path / "a.json", report(success=0.0, **other)))


@pytest.mark.parametrize("manifest", [None, "ab" * 32])
def test_the_audit_of_other_files_of_the_same_version_is_refused_whatever_its_override(
    folder: Path, tmp_path: Path, manifest: str | None
) -> None:
    content = report(success=0.0, manifest=manifest).with_override(REASON)

    with pytest.raises(ReleaseError, match=r"^the audit is of other files than these of v1: .*; audit this folder$"):
        publishable(folder, report=written(tmp_path / "a.json", content))


def test_files_that_changed_after_the_audit_are_refused(folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "data"
    shutil.copytree(folder, changed)
    (changed / "example_model.json").write_text("{}")
    content = report(success=0.0, manifest=sha256_of_manifest(folder))

    with pytest.raises(ManifestError, match=r"^example_model\.json: has 2 bytes"):
        publishable(changed, report=written(tmp_path / "a.json", content))


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)

    with pytest.raises(ManifestError, match="is no audit report"):
        read_audit(tmp_path / "a.json")


def test_a_report_of_before_reports_named_their_files_is_refused(tmp_path: Path) -> None:
    content = json.loads(report(success=0.0).to_bytes()) | {"format": 1}
    (tmp_path / "a.json").write_text(json.dumps(content))

    with pytest.raises(ManifestError, match="has format 1 and 2 is read"):
        read_audit(tmp_path / "a.json")


def test_a_figure_that_is_no_number_is_refused(tmp_path: Path) -> None:
    content = json.loads(report(success=0.0).to_bytes())
    content["results"]["tickers"]["success"] = math.nan
    (tmp_path / "a.json").write_text(json.dumps(content))

    with pytest.raises(ManifestError, match="is no audit report"):
        read_audit(tmp_path / "a.json")
