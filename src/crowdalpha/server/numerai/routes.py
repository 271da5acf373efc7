"""HTTP of the GraphQL interface."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from crowdalpha.errors import CrowdalphaError
from crowdalpha.server.kit.depends import Now, PlatformOf, maybe_caller
from crowdalpha.server.kit.links import base_of
from crowdalpha.server.numerai.asking import Asking
from crowdalpha.server.numerai.execution import Answer, Question, execute, refusal
from crowdalpha.server.numerai.schema import build_schema

__all__ = ["MAX_BODY", "router"]

MAX_BODY = 256 * 1024
"""Bytes of a request; the longest that clients send has 5,000."""

router = APIRouter(include_in_schema=False)
schema = build_schema()


async def question_of(request: Request) -> Question | Answer:
    """Read what is asked, or say why it cannot be read."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return refusal(f"the request has more than {MAX_BODY} bytes; send a shorter document", code="too_large")
    except HTTPException as error:
        return refusal(str(error.detail), code="refused")
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("query"), str):
        return refusal('the body must be JSON: {"query": "...", "variables": {...}}', code="invalid_request")
    variables, operation = content.get("variables") or {}, content.get("operationName")
    if not isinstance(variables, dict) or not isinstance(operation, str | None):
        return refusal("variables must be an object, operationName text", code="invalid_request")
    return Question(content["query"], variables, operation)


@router.post("/")
@router.post("/graphql")
def answer(
    request: Request, question: Annotated[Question | Answer, Depends(question_of)], platform: PlatformOf, now: Now
) -> JSONResponse:
    """Answer a GraphQL request; the status is 200 also for a refusal."""
    if not isinstance(question, Question):
        return JSONResponse(question)
    try:
        caller = maybe_caller(request, platform, now)
    except CrowdalphaError as error:
        return JSONResponse(refusal(str(error), code=error.code))

    base_url = base_of(platform, request)

    def ask(session: Session) -> Asking:
        return Asking(
            platform=platform,
            session=session,
            now=now,
            caller=caller,
            base_url=base_url,
            upload_url=lambda token: base_url + request.app.url_path_for("put_upload", token=token),
        )

    return JSONResponse(execute(schema, question, platform=platform, ask=ask, request_id=request.state.request_id))
