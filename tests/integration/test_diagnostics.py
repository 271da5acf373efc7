"""Diagnoses as jobs: asked for, computed by a worker, read by their owner alone."""

import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import NotFound
from crowdalpha.server import Platform
from crowdalpha.server.app import API, create_app
from crowdalpha.server.diagnostics.service import (
    Diagnosis,
    get_diagnosis,
    list_diagnoses,
    request_diagnosis,
)
from crowdalpha.server.models.service import Model, get_model
from crowdalpha.server.tasks import TASKS
from crowdalpha.server.worker import Worker
from tests.fixtures import tournament as make
from tests.fixtures.field import Participant, field

NOW = make.opens_at(12)


@pytest.fixture
def people(fresh_platform: Platform, tmp_path: Path) -> list[Participant]:
    return field(fresh_platform, tmp_path, now=NOW)


def model_of(platform: Platform, participant: Participant, tournament: int = 8) -> Model:
    with platform.session() as session:
        return get_model(session, participant.models[tournament])


def asked(platform: Platform, model: Model, content: bytes, *, filename: str = "v-1.csv") -> Diagnosis:
    with platform.session() as session:
        sha256 = platform.blobs.put(content)
        return request_diagnosis(session, model_id=model.id, filename=filename, sha256=sha256, now=NOW)


def read(platform: Platform, diagnosis: Diagnosis) -> Diagnosis:
    with platform.session() as session:
        return get_diagnosis(session, diagnosis.id, account_id=diagnosis.account_id)


def work(platform: Platform) -> None:
    assert Worker(platform, TASKS, (), lambda: NOW).run(threading.Event(), wait=False)


def validation_file(rows: int = 1000) -> bytes:
    """Predictions for the last thousand rows of the history, which are its validation part."""
    lines = (f"{3000 + place:016x},{place}" for place in range(rows))
    return "\n".join(["id,prediction", *lines, ""]).encode()


def test_a_file_is_diagnosed_by_a_worker(fresh_platform: Platform, people: list[Participant]) -> None:
    request = asked(fresh_platform, model_of(fresh_platform, people[0]), validation_file())
    work(fresh_platform)
    done = read(fresh_platform, request)

    assert (request.state, done.state) == ("queued", "done")
    assert done.measured is not None
    assert done.measured.eras == ("0004",)


def test_a_file_that_breaks_a_rule_fails_with_the_reason(fresh_platform: Platform, people: list[Participant]) -> None:
    request = asked(fresh_platform, model_of(fresh_platform, people[0]), validation_file(999))
    work(fresh_platform)
    failed = read(fresh_platform, request)

    assert (failed.state, failed.measured) == ("failed", None)
    assert "era 0004 is there in part" in str(failed.message)


def test_a_repeat_gives_the_first_and_each_sees_only_his(fresh_platform: Platform, people: list[Participant]) -> None:
    ann, bob = (model_of(fresh_platform, each) for each in people[:2])
    first = asked(fresh_platform, ann, validation_file())

    assert asked(fresh_platform, ann, validation_file()).id == first.id
    with fresh_platform.session() as session:
        assert [each.id for each in list_diagnoses(session, account_id=ann.account_id, model_id=ann.id)] == [first.id]
        assert list_diagnoses(session, account_id=bob.account_id) == []
        with pytest.raises(NotFound):
            get_diagnosis(session, first.id, account_id=bob.account_id)


def test_named_tournaments_are_refused_with_the_way_out(fresh_platform: Platform, people: list[Participant]) -> None:
    with pytest.raises(InputError, match=r"crowdalpha\.scoring\.frames"):
        asked(fresh_platform, model_of(fresh_platform, people[0], 11), validation_file())


def test_a_participant_asks_and_reads_over_rest(fresh_platform: Platform, people: list[Participant]) -> None:
    key, model_id = people[0].key, people[0].models[8]
    client = TestClient(create_app(fresh_platform, clock=lambda: NOW))
    client.headers["Authorization"] = f"Token {key.key.public_id}${key.secret}"
    asked = client.post(f"{API}/models/{model_id}/diagnostics", files={"file": ("v.csv", validation_file())})
    work(fresh_platform)
    done = client.get(f"{API}/diagnostics/{asked.json()['id']}").json()

    assert (asked.status_code, asked.json()["state"], asked.json()["series"]) == (202, "queued", {})
    assert (done["state"], done["eras"], done["dataset"], len(done["series"]["corr"])) == ("done", ["0004"], "v1.0", 1)
    assert client.get(f"{API}/models/{model_id}/diagnostics").json() == [done]
    assert client.get(f"{API}/models/{people[1].models[8]}/diagnostics").status_code == 404
