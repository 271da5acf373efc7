"""A participant looks at a model before submitting it: the command on what a season published."""

import json
import subprocess
import sys
from pathlib import Path

DIAGNOSE = (sys.executable, "-W", "error", "-m", "crowdalpha", "diagnose")


def diagnose(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DIAGNOSE, *arguments], capture_output=True, text=True, check=False)


def test_the_example_against_itself_is_a_copy_that_adds_nothing(season: Path, tmp_path: Path) -> None:
    data, page = season / "dataset", tmp_path / "page.html"
    example = data / "validation_example_preds.parquet"
    done = diagnose(example, "--data", data, "--json", "-", "--html", page)

    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["scores"]["corr"]["mean"] > 0
    assert found["scores"]["bmc"]["mean"] == 0
    assert {"contribution_bmc", "with_benchmark"} <= {each["rule"] for each in found["findings"]}
    assert "<svg" in page.read_text()


def test_the_folder_of_a_round_is_refused_in_one_line(season: Path) -> None:
    folder = season / "rounds" / "0001"
    done = diagnose(folder / "live_example_preds.parquet", "--data", folder)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
