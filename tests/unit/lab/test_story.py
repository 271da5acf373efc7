import json
from pathlib import Path

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.lab.evidence import read_evidence
from crowdalpha.lab.story import ModelStory, model_story
from crowdalpha.lab.story_page import render_story, round_rows
from crowdalpha.rules.contribution import BookInputs
from crowdalpha.rules.ids import RoundNumber
from tests.fixtures.evidence import season_folder

LAST = RoundNumber(4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = season_folder(tmp_path_factory.mktemp("season"), n_rounds=4, contributions=True)
    (folder / "summary.json").write_text(json.dumps({"model_ids": {"<ann>": 0, "bob": 1}}))
    return folder


@pytest.fixture(scope="module")
def story(folder: Path) -> ModelStory:
    return model_story(folder, "<ann>")


def test_each_round_holds_what_was_recorded(folder: Path, story: ModelStory) -> None:
    evidence = read_evidence(folder)
    row = evidence.contributions[LAST].rows[0]

    # Stakes of round 3 and later are 10 to 15.
    last = story.rounds[-1]
    assert (len(story.rounds), last.number) == (4, 4)
    assert (last.at_risk, last.weight) == pytest.approx((10.0, 10 / 75))
    assert (last.tc, last.mpc) == ((row.tc or 0) / 1e9, (row.mpc or 0) / 1e9)
    assert last.corr == (evidence.bundles[-1].resolved.positions[0].scores["corr"] or 0) / 1e9
    assert story.tc.value == pytest.approx(np.mean([each.tc for each in story.rounds]))


def test_the_trades_are_the_split_book_and_earn_what_was_attributed(folder: Path, story: ModelStory) -> None:
    evidence = read_evidence(folder)
    inputs = BookInputs.from_bytes(evidence.blobs.get(evidence.contributions[LAST].inputs_sha256))
    realised = dict(zip((f"{row:04d}" for row in range(30)), inputs.returns, strict=True))

    assert [each.part for each in story.trades] == sorted((each.part for each in story.trades), reverse=True)
    for each in story.trades:
        assert each.earned == pytest.approx(each.part * realised[each.asset])
    stated = next(step.figure for step in story.chain if step.what == "profit and loss")
    assert stated.startswith(f"{story.rounds[-1].attributed:+.4%}")
    assert stated.endswith(f"the trades add up to {story.rounds[-1].attributed:+.4%}")


def test_a_round_can_be_chosen_and_a_model_named_by_its_number(folder: Path) -> None:
    story = model_story(folder, "1", round_number=RoundNumber(2))

    assert (story.name, story.shown) == ("bob", 2)
    assert story.chain[1].source == "evidence/0002.json: resolved.positions"


def test_a_model_that_came_later_has_its_rounds_alone(folder: Path) -> None:
    assert [each.number for each in model_story(folder, "5").rounds] == [3, 4]


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [("eve", None, "no model 'eve' took part; choose from"), ("5", RoundNumber(1), "model 5 was not in round 1")],
)
def test_what_is_not_there_is_said(folder: Path, name: str, number: RoundNumber | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_story(folder, name, round_number=number)


def test_a_season_without_contributions_has_no_story(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no contributions/\*\.json of model 1"):
        model_story(season_folder(tmp_path, n_rounds=1), "1")


def test_the_page_shows_the_chain_and_every_round_and_escapes(story: ModelStory) -> None:
    page = render_story(story)

    assert "&lt;ann&gt;" in page
    assert "<ann>" not in page
    assert page.count("<svg") == 4
    assert all(step.source in page for step in story.chain)
    assert all(cell in page for row in round_rows(story) for cell in row)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
