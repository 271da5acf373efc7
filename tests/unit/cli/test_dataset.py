import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from crowdalpha.cli.dataset import dataset
from crowdalpha.lab.synthetic import synthetic_market
from crowdalpha.release import verify_manifest

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli")
    drawn = synthetic_market(n_assets=40, n_days=580, rng=np.random.default_rng(5))
    drawn.prices.write_parquet(root / "prices.parquet")
    drawn.universe.write_parquet(root / "universe.parquet")
    build(root, "v1", "--policy", "hardened")
    return root


def run(*arguments: str | Path) -> tuple[int, str]:
    result = RUNNER.invoke(dataset, [str(argument) for argument in arguments], catch_exceptions=True)
    return result.exit_code, result.stdout if result.exception is None else str(result.exception)


def build(root: Path, version: str, *options: str | Path) -> tuple[int, str]:
    source = (root / "prices.parquet", "--universe", root / "universe.parquet")
    return run("build", *source, "--out", root / version, "--version", version, *options)


def test_a_build_makes_a_whole_folder_and_a_key_beside_it(folder: Path) -> None:
    manifest = verify_manifest(folder / "v1")

    assert (manifest.version, manifest.policy) == ("v1", "hardened")
    assert (folder / "v1.key.json").is_file()
    assert not list((folder / "v1").glob("*key*"))


def test_the_same_build_again_leaves_the_folder_and_prints_its_manifest(folder: Path) -> None:
    before = (folder / "v1" / "train.parquet").stat()
    code, shown = build(folder, "v1", "--policy", "hardened", "--json")

    assert code == 0
    assert json.loads(shown) == json.loads((folder / "v1" / "manifest.json").read_bytes())
    assert (folder / "v1" / "train.parquet").stat().st_ino == before.st_ino


def test_old_eras_are_undone_with_the_key(folder: Path) -> None:
    code, shown = run(
        "reveal", folder / "v1", "--key", folder / "v1.key.json", "--until", "0005", "--out", folder / "u", "--json"
    )
    rows = pl.read_parquet(folder / "u" / "rows.parquet")

    assert code == 0
    assert json.loads(shown)["rows"] == rows.height > 0
    assert rows["era"].max() == "0005"


def test_a_data_set_is_compared_with_itself(folder: Path) -> None:
    code, shown = run("diff", folder / "v1", folder / "v1", "--json")

    assert code == 0
    assert json.loads(shown)["same"] is True
    assert "the same" in run("diff", folder / "v1", folder / "v1")[1]


@pytest.fixture
def later(folder: Path, tmp_path: Path) -> Path:
    """Prices of which only 25 names go on in the last five weeks, and a key that lacks a feature of today."""
    prices = pl.read_parquet(folder / "prices.parquet")
    days, names = (prices[column].unique().sort() for column in ("date", "ticker"))
    few = pl.col("ticker").is_in(names[:25].implode()) | (pl.col("date") < days[-25])
    prices.filter(few).write_parquet(tmp_path / "prices.parquet")
    shutil.copy(folder / "universe.parquet", tmp_path)
    content = json.loads((folder / "v1.key.json").read_bytes())
    content["catalogue"]["features"]["seasonality"].remove("monday_120")
    (tmp_path / "v1.key.json").write_text(json.dumps(content))
    return tmp_path


def test_a_later_release_keeps_the_features_and_tells_that_its_live_rows_are_old(folder: Path, later: Path) -> None:
    source = (later / "prices.parquet", "--universe", later / "universe.parquet", "--previous", folder / "v1")
    options = ("--policy", "hardened", "--version", "v1", "--out", later / "v1")
    result = RUNNER.invoke(dataset, [str(each) for each in ("build", *source, *options)])
    features = json.loads((later / "v1.key.json").read_bytes())["catalogue"]["features"]["seasonality"]

    assert result.exit_code == 0
    assert "the newest weeks have too few assets for an era" in " ".join(result.stderr.split())
    assert "monday_252" in features
    assert "monday_120" not in features


def test_a_later_release_without_a_column_of_before_is_refused_and_the_key_kept(folder: Path, later: Path) -> None:
    before = (later / "v1.key.json").read_bytes()
    prices = pl.read_parquet(later / "prices.parquet").with_columns(open=pl.lit(None, dtype=pl.Float64))
    prices.write_parquet(later / "prices.parquet")

    assert "features of the earlier release are gone" in build(later, "v1", "--previous", folder / "v1")[1]
    assert (later / "v1.key.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("publish", "v1"), "audit.json: missing"),
        (("diff", "v1", "v1", "--second-key", "x"), "needs --key"),
        (("reveal", "v1", "--key", "none", "--until", "0001", "--out", "u"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    found = [folder / word if word in {"v1", "none", "u"} else word for word in arguments]
    code, shown = run(*found)

    assert code != 0
    assert message in shown


def test_an_unknown_policy_is_refused_before_any_work(folder: Path) -> None:
    assert "there are plain, hardened, strict" in build(folder, "v2", "--policy", "secret")[1]
    assert not (folder / "v2").exists()


def test_live_data_and_targets_of_a_round_are_under_the_same_ids(folder: Path, tmp_path: Path) -> None:
    source = (folder / "prices.parquet", "--universe", folder / "universe.parquet")
    release = ("--data", folder / "v1", "--key", folder / "v1.key.json")
    day = json.loads((folder / "v1.key.json").read_text())["catalogue"]["days"][-6]

    made = run("live", *source, *release, "--round", "7", "--out", tmp_path / "7")
    known = run("targets", *source, *release, "--session", day, "--day", "5", "--out", tmp_path / "t.parquet")
    early = run("targets", *source, *release, "--session", day, "--day", "300", "--out", tmp_path / "u.parquet")

    assert (made[0], known[0]) == (0, 0)
    assert pl.read_parquet(tmp_path / "7" / "live.parquet")["id"].to_list() == (
        pl.read_parquet(folder / "v1" / "live.parquet")["id"].to_list()
    )
    targets = pl.read_parquet(tmp_path / "t.parquet")
    assert set(targets["target"].drop_nulls()) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert "--day 300: the prices end before that" in early[1]
