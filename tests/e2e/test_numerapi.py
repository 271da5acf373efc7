"""The published numerapi, changed in nothing but its address, against a served platform on a real database."""

import ast
import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema as read_schema
from graphql import parse, validate

from crowdalpha.server import open_platform
from crowdalpha.server.numerai.documents import respelled, spellings_of
from crowdalpha.server.numerai.schema import MAX_TOKENS, build_schema
from tests.conftest import REPOSITORY
from tests.docs.pages import DOCS, python_blocks
from tests.fixtures import tournament as make
from tests.fixtures.clients import RELEASES, ClientsMissingError, client_path
from tests.fixtures.database import Cluster, settings_for
from tests.fixtures.field import NAMES, OPEN_ROUNDS, Participant, field
from tests.fixtures.serving import receiving, serving, working

PARTICIPANT = REPOSITORY / "tests" / "numerapi" / "participant.py"
PAGE = DOCS / "how-to" / "use-numerapi.md"
DOCUMENT = re.compile(r"\s*(query|mutation)\b[^`]*{")
THIS_MACHINE = IPv4Network("127.0.0.0/8")
UPLOADS = ("submission_upload_auth", "submissionUploadSignalsAuth", "diagnosticsUploadAuth")
Seen = dict[str, Any]
FILES = ("features.json", "live.parquet", "train.parquet", "validation.parquet")


def path_of(release: str) -> str:
    """Give the path of a release, or skip where it cannot be installed; `make clients` fails there."""
    try:
        return client_path(release)
    except ClientsMissingError as error:
        pytest.skip(str(error))


def started(participant: Participant, release: str, folder: Path, *, url: str, hook: str) -> subprocess.Popen[str]:
    folder.mkdir()
    ids = [str(participant.models[tournament]) for tournament in (8, 11, 12)]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", PARTICIPANT, url, folder, participant.name, *ids, hook],
        env=environment(participant, release),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def environment(participant: Participant, release: str) -> dict[str, str]:
    key = participant.key
    return {
        **os.environ,
        "PYTHONPATH": path_of(release),
        "NUMERAI_PUBLIC_ID": key.key.public_id,
        "NUMERAI_SECRET_KEY": key.secret,
    }


def play(cluster: Cluster, folder: Path) -> dict[str, Seen]:
    """Let three participants, each with another release, have their day at once; and one use the command line."""
    settings = settings_for(cluster.new_database(), folder).model_copy(update={"webhook_networks": (THIS_MACHINE,)})
    with (
        open_platform(settings) as platform,
        working(platform),
        serving(platform) as url,
        receiving() as (hook, bodies),
    ):
        people = dict(zip(RELEASES, field(platform, folder, now=datetime.now(UTC)), strict=True))
        running = {
            release: started(participant, release, folder / release, url=url, hook=hook)
            for release, participant in people.items()
        }
        seen = {release: said(process) for release, process in running.items()}
        printed = by_hook(people[RELEASES[0]], folder / "hook", url=url)
        return {**seen, "beside": {"command line": printed, "hooks": bodies}}


def said(process: subprocess.Popen[str]) -> Seen:
    output, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    seen: Seen = json.loads(output)
    return seen


def by_hook(participant: Participant, folder: Path, *, url: str) -> str:
    """Ask for the current round by the command line, sent here by the hook that the page gives."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(python_blocks(PAGE)[1])
    variables = environment(participant, RELEASES[0])
    variables |= {"PYTHONPATH": f"{folder}{os.pathsep}{variables['PYTHONPATH']}", "NUMERAI_API_URL": url}
    command = [sys.executable, "-c", "from numerapi.cli import cli; cli()", "current-round"]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> dict[str, Seen]:
    """Play once for all workers: the first plays, the others wait for what it saw."""
    base = tmp_path_factory.getbasetemp()
    kept = (base if worker_id == "master" else base.parent) / "numerapi.json"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            cluster: Cluster = request.getfixturevalue("cluster")  # only here: the others start no database
            kept.write_text(json.dumps(play(cluster, tmp_path_factory.mktemp("numerapi"))))
    seen: dict[str, Seen] = json.loads(kept.read_text())
    return seen


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen(everything: dict[str, Seen], release: str) -> Seen:
    return everything[release]


def is_document(value: object) -> bool:
    return isinstance(value, str) and DOCUMENT.match(value) is not None and value.count("{") == value.count("}")


def documents(release: str) -> Iterator[str]:
    """Find every GraphQL document in the code of a release, with the names of operations filled in."""
    for path in sorted((Path(path_of(release).split(os.pathsep)[0]) / "numerapi").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and is_document(node.value):
                yield str(node.value)
            if isinstance(node, ast.JoinedStr) and "{endpoint}" in (text := ast.unparse(node)):
                plain = ast.literal_eval(text[1:].replace("{endpoint}", "@").replace("{{", "{").replace("}}", "}"))
                yield from (plain.replace("@", name) for name in UPLOADS)


def test_rounds_are_those_of_the_platform(seen: Seen) -> None:
    assert (seen["current_round"], seen["round_open"], seen["new_round"]) == (OPEN_ROUNDS[8], True, True)
    assert [each["number"] for each in seen["competitions"]] == [4, 3, 2, 1]
    assert seen["pipeline"]["isScoringDay"] is True


def test_files_are_listed_fetched_and_resumed(seen: Seen) -> None:
    assert seen["datasets"] == [f"v1.0/{name}" for name in FILES]
    assert seen["resumed_whole"] is True
    assert seen["live_ids"] == len(make.LIVE_IDS)
    assert [Path(seen[name]).name for name in ("old_name", "signals_file")] == ["old.parquet", "signals.parquet"]
    assert "there is no file" in seen["no_file"]
    assert len(seen["universe"]) == 120


@pytest.mark.parametrize("release", ["3.1.1", "2.24.0"], indirect=True)
def test_a_part_of_a_file_is_read_by_ranges(seen: Seen) -> None:
    assert seen["filtered_rows"] == 1000


def test_an_account_sees_itself(seen: Seen, release: str) -> None:
    name = NAMES[RELEASES.index(release)]
    account = seen["account"]

    assert (account["username"], account["availableNmr"], account["status"]) == (name, "950.000000000", "VERIFIED")
    assert [token["name"] for token in account["apiTokens"]] == ["laptop"]
    assert list(seen["models"]) == list(seen["models_of_account"]) == [f"{name}-classic"]
    assert [each["type"] for each in seen["transactions"]] == ["stake", "deposit"]
    assert seen["wrong_key"] == "ValueError: Your session is invalid or has expired."


def test_a_model_is_described_by_its_owner(seen: Seen) -> None:
    assert (seen["set_bio"], seen["set_link"]) == (True, True)
    assert (seen["profile"]["bio"], seen["profile_after"]["bio"]) == (None, "mostly ridge")
    assert seen["unknown_profile"] == "ValueError: there is no model 'nobody'"


def test_predictions_are_checked_when_they_are_handed_in(seen: Seen) -> None:
    assert str(seen["upload"]).isdecimal()
    assert str(seen["upload_frame"]).isdecimal()
    assert "has 29 of 30 live ids" in seen["upload_short"]
    assert seen["upload_other"] == "ValueError: there is no model 1"


def test_what_was_handed_in_is_listed_and_fetched(seen: Seen) -> None:
    newest, *_ = seen["submission_ids"]

    assert (newest["id"], len(seen["submission_ids"])) == (seen["upload_frame"], 5)
    assert [each["round_num"] for each in seen["filenames"]] == [1, 2, 3, 4]
    assert seen["filenames"][-1]["filename"] == newest["filename"]
    assert seen["downloaded"] == "id,prediction"


def test_a_validation_file_is_diagnosed(seen: Seen) -> None:
    (found,) = seen["diagnosis"]

    assert str(seen["upload_diagnostics"]).isdecimal()
    assert (found["status"], found["erasAcceptedCount"]) == ("done", 1)
    assert [each["era"] for each in found["perEraDiagnostics"]] == ["0004"]
    assert found["validationCorrMean"] == found["perEraDiagnostics"][0]["validationCorr"]
    assert len(seen["diagnoses"]) == 1


def test_stakes_go_up_and_down(seen: Seen) -> None:
    """A round is being scored: what is taken out is free when it resolves."""
    stake = Decimal(seen["stake"])
    to_forty = stake + Decimal("0.5") - Decimal("0.25") - 40

    assert stake > 0
    assert seen["stake_up"]["requestedAmount"] == "0.500000000"
    assert seen["stake_down"]["dueDate"] == "2024-02-21 00:00:00+00:00"
    assert "949.500000000" in seen["stake_too_much"]
    assert (Decimal(seen["stake_set"]["requestedAmount"]), seen["stake_after"]) == (to_forty, "40.000000000")
    assert seen["stake_drain"]["requestedAmount"] == "40.000000000"
    assert Decimal(seen["stake_drained"]) == 0


def test_webhooks_are_set_tried_and_removed(everything: dict[str, Seen], seen: Seen) -> None:
    trigger_id = seen["triggered"]["data"]["triggerModelWebhook"]

    assert (seen["webhook"], seen["webhook_removed"]) == (True, True)
    assert [each["roundNumber"] for each in everything["beside"]["hooks"] if each["triggerId"] == trigger_id] == [4]
    assert "there is no webhook" in seen["triggered_without"]


def test_rounds_of_a_model_are_shown_with_what_they_pay(seen: Seen) -> None:
    performances = seen["performances"]
    scores = {each["displayName"]: each for each in performances[1]["submissionScores"]}

    assert [each["roundNumber"] for each in performances] == [3, 2, 1]
    assert [each["atRisk"] for each in performances] == ["50.000000000", *(each["atRisk"] for each in performances[1:])]
    assert {"corr", "mmc", "fnc", "cwmm"} < set(scores)
    assert scores["mmc"]["payoutSettled"] is not None
    assert {each["day"] for each in seen["intra_round"][1]["intraRoundSubmissionScores"]} == {3, make.SCORING_DAY}
    assert len(seen["daily"]) == 2


@pytest.mark.parametrize("release", ["3.1.1", "2.24.0"], indirect=True)
def test_newer_releases_read_scores_and_payouts(seen: Seen) -> None:
    assert [each["number"] for each in seen["resolved_rounds"]] == [2, 1]
    assert [each["roundNumber"] for each in seen["mmc_scores"]] == [3, 2, 1]
    assert {each["displayName"] for each in seen["mmc_scores"]} == {"mmc"}
    assert [each["roundNumber"] for each in seen["payouts"]["actual"]] == [2, 1]
    assert [each["roundNumber"] for each in seen["payouts"]["pending"]] == [3]
    assert "there is no chain" in seen["chain"]


def test_leaderboards_rank_models_and_accounts(seen: Seen) -> None:
    assert [each["rank"] for each in seen["leaderboard"]] == [1, 2]
    assert seen["leaderboard"][0]["mmcRep"] >= seen["leaderboard"][1]["mmcRep"]
    assert [each["rank"] for each in seen["accounts"]] == [1, 2]
    assert seen["signals_leaderboard"] == []


def test_model_files_are_refused_with_a_reason(seen: Seen) -> None:
    assert "never runs or unpickles" in seen["model_upload"]
    assert "never runs or unpickles" in seen["data_versions"]


@pytest.mark.parametrize(("name", "number"), [("signals", 5), ("crypto", 6)])
def test_tournaments_on_named_assets_take_predictions_and_stakes(seen: Seen, name: str, number: int) -> None:
    assert seen[f"{name}_round"] == number
    assert f"{name}/v1.0/live.parquet" in seen[f"{name}_datasets"]
    assert str(seen[f"{name}_upload"]).isdecimal()
    assert "has 99 of 120 live assets" in seen[f"{name}_few"]
    assert [each["id"] for each in seen[f"{name}_submissions"]] == [seen[f"{name}_upload"]]
    assert seen[f"{name}_stake_up"]["requestedAmount"] == "3.000000000"
    assert seen[f"{name}_stake_drain"]["status"] == "confirmed"


def test_the_hook_of_the_page_sends_the_command_line_here(everything: dict[str, Seen]) -> None:
    assert everything["beside"]["command line"].strip() == str(OPEN_ROUNDS[8])


def test_the_line_of_the_page_names_what_the_package_reads(release: str) -> None:
    line = python_blocks(PAGE)[0].strip().splitlines()[-1]
    source = Path(path_of(release).split(os.pathsep)[0]) / "numerapi" / "base_api.py"

    assert line.startswith("numerapi.base_api.API_TOURNAMENT_URL = ")
    assert re.search(r"^API_TOURNAMENT_URL = ", source.read_text(), re.MULTILINE)


def test_every_document_of_a_release_is_valid(release: str) -> None:
    schema = read_schema(build_schema().as_str())
    found = list(documents(release))
    parsed = [respelled(parse(each, max_tokens=MAX_TOKENS), spellings_of(schema)) for each in found]

    assert len(found) >= {"3.1.1": 48, "2.24.0": 48, "2.20.7": 41}[release]
    assert [str(error) for each in parsed for error in validate(schema, each)] == []
