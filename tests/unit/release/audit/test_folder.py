import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crowdalpha.market import Market
from crowdalpha.release import POLICIES, ManifestError, ReleaseError, ReleaseKey, build_dataset
from crowdalpha.release.audit import AuditReport, gate, limits_of
from crowdalpha.release.audit.folder import audit_folder
from crowdalpha.release.keyfile import KeyFile
from tests.fixtures.releases import KEY, small_market

MARKET = small_market(n_eras=80, n_assets=60)
KEYS = KeyFile(KEY).with_release(MARKET, version="v1", policy=POLICIES["plain"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "v1"
    build_dataset(MARKET, key=KEY, version="v1", published=75, out=path)
    return path


@pytest.fixture(scope="module")
def report(folder: Path) -> AuditReport:
    return audit_folder(folder, key_file=KEYS, market=MARKET, rng=np.random.default_rng(0))


def success(report: AuditReport, attack: str) -> float:
    result = report.find(attack)
    assert result is not None
    return result.success


def test_the_report_names_the_files_by_the_digest_of_their_manifest(folder: Path, report: AuditReport) -> None:
    assert report.manifest == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def test_files_that_are_not_those_of_the_manifest_are_not_audited(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "v1")
    (tmp_path / "v1" / "features.json").write_bytes((folder / "features.json").read_bytes() + b" ")

    with pytest.raises(ManifestError, match=r"^features\.json: has"):
        audit_folder(tmp_path / "v1", key_file=KEYS, market=None, rng=np.random.default_rng(0))


def test_plain_hides_nothing_from_who_has_the_prices(report: AuditReport) -> None:
    assert (report.release, report.policy, report.n_features) == ("v1", "plain", 30)
    assert min(success(report, name) for name in ("link_1", "tickers", "track_public")) > 0.95


def test_the_files_of_a_release_are_clean(report: AuditReport) -> None:
    assert success(report, "files") == 0.0


def test_gaps_and_row_counts_are_found(report: AuditReport) -> None:
    """The small market lacks values and assets, which `plain` does not hide: it says so and lets them pass."""
    result = report.find("static")

    assert result is not None
    assert result.detail["leaks"] == ["missing_values", "row_count"]
    assert gate(report, limits_of("plain")).passed


def test_a_rotation_is_counted_by_the_largest_weight(tmp_path: Path) -> None:
    policy = replace(POLICIES["hardened"], eras_per_asset=None)
    build_dataset(MARKET, key=KEY, version="v1", published=75, out=tmp_path / "v1", policy=policy)
    keys = KeyFile(KEY).with_release(MARKET, version="v1", policy=policy)
    report = audit_folder(tmp_path / "v1", key_file=keys, market=MARKET, rng=np.random.default_rng(0))
    names = report.find("names")

    assert names is not None
    assert names.detail["public_features"] == 30
    assert success(report, "static") == 0.0


def test_without_prices_the_rest_is_tried(folder: Path) -> None:
    report = audit_folder(folder, key_file=KEYS, market=None, rng=np.random.default_rng(0))

    assert success(report, "link_1") > 0.95
    assert report.skipped["tickers"] == "public prices were not given"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (KeyFile(KEY), "knows no release"),
        (replace(KEYS, policies={}), "knows no release v1"),
        (replace(KEYS, key=ReleaseKey(b"another secret of 16 bytes or so")), "was not made with this key"),
    ],
)
def test_the_wrong_key_is_refused(folder: Path, keys: KeyFile, words: str) -> None:
    with pytest.raises(ReleaseError, match=words):
        audit_folder(folder, key_file=keys, market=MARKET, rng=np.random.default_rng(0))


def test_prices_of_other_assets_or_years_are_refused(folder: Path) -> None:
    panel = MARKET.panel
    others = replace(panel, tickers=tuple(f"OTHER{at:04d}" for at in range(60)))
    later = replace(panel, dates=panel.dates + np.timedelta64(4000, "D"))

    with pytest.raises(ReleaseError, match="share no ticker"):
        audit_folder(folder, key_file=KEYS, market=replace(MARKET, panel=others), rng=np.random.default_rng(0))
    with pytest.raises(ReleaseError, match="no week for era 0001"):
        audit_folder(folder, key_file=KEYS, market=replace(MARKET, panel=later), rng=np.random.default_rng(0))


def test_public_prices_may_hold_more_assets(folder: Path) -> None:
    larger: Market = small_market(n_eras=80, n_assets=60)
    renamed = replace(larger.panel, tickers=(*larger.panel.tickers[:55], *(f"UNKNOWN{at}" for at in range(5))))
    report = audit_folder(folder, key_file=KEYS, market=replace(larger, panel=renamed), rng=np.random.default_rng(0))

    assert success(report, "tickers") > 0.9
