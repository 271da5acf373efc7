"""What the OpenAPI document allows, and somewhat more, never breaks the server, and answers are as it says."""

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.app import create_app
from crowdalpha.server.rounds.service import resolve_round
from tests.fixtures import tournament as make
from tests.fixtures.people import person

EXAMPLES = 4
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def app(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A platform on which most numbers near one name something, and limits of rate are out of the way."""
    with platform.session() as session:
        models = make.tournament(platform, session, tmp_path_factory.mktemp("dataset"), n_models=2)
        make.scored_round(platform, session, models, 1)
        resolve_round(session, blobs=platform.blobs, number=RoundNumber(1), now=make.resolves_at(1))
        make.opened_round(session, 6)
        make.handed_in(platform, session, models[0], 6)
    free = platform.settings.model_copy(update={"rate_per_key": 0.0, "rate_per_address": 0.0})
    return create_app(Platform(**{**vars(platform), "settings": free}), clock=lambda: make.opens_at(6))


def broken(platform: Platform, operation: APIOperation[Any, Any, Any, Any]) -> str | None:
    """Ask an operation for what its part of the document allows, and say what was wrong with an answer.

    An owner asks, who may do everything; another for each operation, because some end the account that asks.
    """
    headers = person(platform, operation.label[:100], role="owner").headers

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    try:
        check()
    except Exception as error:  # noqa: BLE001  # whatever it is, it was found
        return f"{operation.label}: {error!r} {getattr(error, 'exceptions', '')}"
    return None


def test_no_request_breaks_the_server(platform: Platform, app: FastAPI) -> None:
    document = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]

    assert [found for each in operations if (found := broken(platform, each))] == []
