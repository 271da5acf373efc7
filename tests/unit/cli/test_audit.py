import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from crowdalpha.cli.audit import audit
from crowdalpha.lab.synthetic import synthetic_market
from crowdalpha.market import build_market, read_panel
from crowdalpha.release import build_dataset
from crowdalpha.release.keyfile import new_key_file, write_key_file
from crowdalpha.release.policies import Policy

APP = typer.Typer()
APP.command()(audit)
CLEAN = Policy("plain", equal_rows=True, fill_missing=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices, a data set `v1` made from them, and its key file; tests only add reports."""
    folder = tmp_path_factory.mktemp("audit")
    made = synthetic_market(n_assets=32, n_days=580, rng=np.random.default_rng(4))
    made.prices.write_parquet(folder / "prices.parquet")
    market = build_market(read_panel(folder / "prices.parquet"))
    keys = new_key_file(folder / "v1.key.json").with_release(market, version="v1", policy=CLEAN)
    write_key_file(folder / "v1.key.json", keys)
    build_dataset(market, key=keys.key, version="v1", published=market.n_eras - 1, out=folder / "v1", policy=CLEAN)
    return folder


def run(home: Path, *arguments: object) -> Result:
    key = ("--key", str(home / "v1.key.json"))
    return CliRunner().invoke(APP, [str(home / "v1"), *key, *map(str, arguments)], env={"COLUMNS": "200"})


def test_a_table_a_verdict_and_a_report_beside_the_data(home: Path) -> None:
    result = run(home, "--public", home / "prices.parquet")
    report = json.loads((home / "v1" / "audit.json").read_bytes())

    assert result.exit_code == 0, result.output
    assert "gate of policy plain: passed" in result.stdout
    assert "A3  name rows by public prices, seeds" in result.stdout
    assert report["results"]["tickers"]["success"] > 0.9
    assert report["verdict"][0] in result.stdout


def test_public_prices_may_come_in_several_files(home: Path, tmp_path: Path) -> None:
    prices = pl.read_parquet(home / "prices.parquet")
    first = pl.col("ticker") < "SYN0015"
    prices.filter(first).write_parquet(tmp_path / "a.parquet")
    prices.filter(~first).write_parquet(tmp_path / "b.parquet")
    run(home, "--public", home / "prices.parquet", "--json", tmp_path / "one.json")
    run(home, "--public", tmp_path / "a.parquet", "--public", tmp_path / "b.parquet", "--json", tmp_path / "two.json")

    assert 0 < prices.filter(first).height < prices.height
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_json_on_the_screen_is_the_report_alone(home: Path) -> None:
    result = run(home, "--json", "-")

    assert json.loads(result.stdout)["skipped"]["tickers"] == "public prices were not given"


def test_json_and_page_in_files(home: Path, tmp_path: Path) -> None:
    run(home, "--json", tmp_path / "a.json", "--html", tmp_path / "a.html")

    assert json.loads((tmp_path / "a.json").read_bytes())["release"] == "v1"
    assert "<h1>Audit of v1</h1>" in (tmp_path / "a.html").read_text()


def test_a_leak_refuses_and_a_reason_overrides(home: Path, tmp_path: Path) -> None:
    note = home / "v1" / "note.json"
    note.write_text('{"built": "2026-11-24"}')
    try:
        refused = run(home, "--json", tmp_path / "a.json")
        passed = run(home, "--json", tmp_path / "b.json", "--override", "the note is known and not sent")
    finally:
        note.unlink()

    assert refused.exit_code == 1
    assert "gate of policy plain: refused" in refused.stdout
    assert passed.exit_code == 0
    assert json.loads((tmp_path / "b.json").read_bytes())["override"] == "the note is known and not sent"


def test_a_report_that_cannot_be_written_is_named(home: Path, tmp_path: Path) -> None:
    result = run(home, "--json", tmp_path / "no" / "a.json")

    assert result.exit_code != 0
    assert "cannot be written" in str(result.exception)
