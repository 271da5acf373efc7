"""What the pages say is so: their code runs, their links lead somewhere, what repeats the code is up to date."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate
from tests.docs.pages import DOCS, MARKDOWN, REPOSITORY, anchors, links, name_of, python_blocks

README = REPOSITORY / "README.md"
EXAMPLES = REPOSITORY / "examples"
NEEDS_A_SERVER = DOCS / "tutorials" / "first-submission.md"  # tests/e2e/test_serve_demo.py runs it against one
TUTORIALS = sorted({*DOCS.glob("tutorials/*.md")} - {NEEDS_A_SERVER})
SCREEN_LINES = 70


@pytest.fixture
def beside_a_season(season: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "season").symlink_to(season)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_blocks(page: Path) -> None:
    blocks = python_blocks(page)
    names: dict[str, object] = {}

    assert blocks
    for block in blocks:
        exec(compile(block, name_of(page), "exec"), names)  # noqa: S102  # our own page, to see that it runs


def test_the_python_of_the_readme_runs() -> None:
    run_blocks(README)


@pytest.mark.parametrize("page", TUTORIALS, ids=name_of)
@pytest.mark.usefixtures("beside_a_season")
def test_the_python_of_a_tutorial_runs_from_top_to_bottom(page: Path) -> None:
    run_blocks(page)


def run(example: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(EXAMPLES / example), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_example_of_a_participant_hands_in_a_valid_file(beside_a_season: Path) -> None:
    done = run("participant.py", "season", "mine.parquet")

    assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout
    assert (beside_a_season / "mine.parquet").exists()


@pytest.mark.usefixtures("beside_a_season")
def test_the_example_of_a_verifier_finds_every_round_good() -> None:
    done = run("verify_round.py", "season")

    assert done.returncode == 0, done.stdout
    assert "BAD" not in done.stdout
    assert done.stdout.splitlines()[-1] == "6 of 6 rounds verified"


def test_the_example_of_a_verifier_finds_the_changed_round(season: Path, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for path in (season / "evidence").iterdir():
        (evidence / path.name).write_bytes(path.read_bytes())
    good = (evidence / "0002.json").read_text()
    (evidence / "0002.json").write_text(good.replace('"paid":"', '"paid":"1', 1))

    done = run("verify_round.py", str(tmp_path))

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "5 of 6 rounds verified"


def test_the_round_of_the_readme_is_the_example_and_short() -> None:
    example = (EXAMPLES / "round_in_thirty_lines.py").read_text()

    assert [block.lstrip("\n") for block in python_blocks(README)] == [example]
    assert len(example.splitlines()) < 30


def test_the_readme_fits_on_a_screen() -> None:
    assert len(README.read_text().splitlines()) <= SCREEN_LINES


@pytest.mark.parametrize("page", MARKDOWN, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), f"{target}: no such file"
        assert not anchor or anchor in anchors(linked), f"{target}: no such heading"


@pytest.mark.parametrize("page", generate.pages(), ids=name_of)
def test_generated_pages_are_up_to_date(page: Path) -> None:
    assert page.read_text() == generate.pages()[page], "run python docs/generate.py"


def test_generated_parts_need_their_markers() -> None:
    with pytest.raises(ValueError, match="'rules'"):
        generate.filled("<!-- rules: begin -->\n", {"rules": "text"})


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "site" / "reference" / "server" / "index.html").exists()
