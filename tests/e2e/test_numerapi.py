"""The published numerapi, changed in nothing but its address, against a served platform on a real database."""

import ast
import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import build_schema as read_schema
from graphql import parse, validate

from crowdalpha.server import open_platform
from crowdalpha.server.numerai.documents import respelled, spellings_of
from crowdalpha.server.numerai.schema import MAX_TOKENS, build_schema
from tests.conftest import REPOSITORY
from tests.docs.pages import DOCS, python_blocks
from tests.fixtures.clients import RELEASES, ClientsMissing, client_path
from tests.fixtures.database import Cluster, settings_for
from tests.fixtures.field import Participant, field
from tests.fixtures.serving import serving

PARTICIPANT = REPOSITORY / "tests" / "numerapi" / "participant.py"
PAGE = DOCS / "how-to" / "use-numerapi.md"
DOCUMENT = re.compile(r"\s*(query|mutation)\b[^`]*{")
UPLOADS = ("submission_upload_auth", "submissionUploadSignalsAuth", "diagnosticsUploadAuth")
Seen = Mapping[str, object]


def path_of(release: str) -> str:
    """Give the path of a release, or skip where it cannot be installed; not where everything has to be tested."""
    try:
        return client_path(release)
    except ClientsMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def started(participant: Participant, release: str, folder: Path, *, url: str) -> subprocess.Popen[str]:
    ids = [str(participant.models[tournament]) for tournament in (8, 11, 12)]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", PARTICIPANT, url, folder, participant.name, *ids],
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
    with open_platform(settings_for(cluster.new_database(), folder)) as platform:
        people = dict(zip(RELEASES, field(platform, folder, now=datetime.now(UTC)), strict=True))
        with serving(platform) as url:
            running = {}
            for release, participant in people.items():
                (folder / release).mkdir()
                running[release] = started(participant, release, folder / release, url=url)
            seen = {release: said(process) for release, process in running.items()}
            seen["command line"] = {"round": by_hook(people[RELEASES[0]], folder / "hook", url=url)}
            return seen


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
def everything(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Seen]:
    """Play once for all workers: the first plays, the others wait for what it saw."""
    base = tmp_path_factory.getbasetemp()
    kept = (base if worker_id == "master" else base.parent) / "numerapi.json"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(play(cluster, tmp_path_factory.mktemp("numerapi"))))
    seen: dict[str, Seen] = json.loads(kept.read_text())
    return seen


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen(everything: dict[str, Seen], release: str) -> Seen:
    return everything[release]


def documents(release: str) -> Iterator[str]:
    """Find every GraphQL document in the code of a release, with the names of operations filled in."""
    for path in sorted((Path(path_of(release).split(os.pathsep)[0]) / "numerapi").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if DOCUMENT.match(node.value) and node.value.count("{") == node.value.count("}"):
                    yield node.value
            if isinstance(node, ast.JoinedStr) and "{endpoint}" in (text := ast.unparse(node)):
                plain = ast.literal_eval(text[1:].replace("{endpoint}", "@").replace("{{", "{").replace("}}", "}"))
                yield from (plain.replace("@", name) for name in UPLOADS)


def test_every_document_of_a_release_is_valid(release: str) -> None:
    schema = read_schema(build_schema().as_str())
    found = list(documents(release))
    parsed = [respelled(parse(each, max_tokens=MAX_TOKENS), spellings_of(schema)) for each in found]

    assert len(found) >= {"3.1.1": 48, "2.24.0": 48, "2.20.7": 41}[release]
    assert [str(error) for each in parsed for error in validate(schema, each)] == []
