"""Errors as answers: one status and one JSON shape for each class of the error tree.

    {"error": {"code": "round_closed", "message": "...", "field": null, "row": null, "request_id": "..."}}

`code` is stable and for programs; `message` names what is wrong and the way out, and is for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from crowdalpha.errors import CrowdalphaError, InputError, RuleError
from crowdalpha.rules.errors import Conflict, Forbidden, NotFound
from crowdalpha.server.errors import DatabaseUnavailable, ServerError, TooLarge, TooManyRequests, Unauthenticated
from crowdalpha.server.log import get_log

__all__ = ["PROBLEMS", "STATUSES", "Problem", "ProblemOut", "ProblemPage", "install_problems", "problem", "status_of"]

log = get_log(__name__)

STATUSES: dict[type[CrowdalphaError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    InputError: 422,
    TooManyRequests: 429,
    DatabaseUnavailable: 503,
    ServerError: 500,
    RuleError: 409,
    CrowdalphaError: 500,
}
"""Looked up along the method resolution order, so that the nearest class decides."""


class ProblemPart(BaseModel):
    """What was wrong: `code` is for programs, `message` for people; `field` and `row` say where, if they can."""

    code: str
    message: str
    field: str | None
    row: int | None
    request_id: str | None


class ProblemOut(BaseModel):
    """The answer to a request that was refused."""

    error: ProblemPart


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": description}
    for status, description in {
        401: "No key or login, or one that has ended.",
        403: "The key lacks a scope, or the caller may not do this.",
        404: "There is no such thing, or not for this caller.",
        408: "The body came too slowly.",
        409: "The present state does not allow it.",
        413: "More bytes or rows than a limit allows.",
        415: "A body of another type than this takes.",
        422: "Something that was sent cannot be used; the message says where and why.",
        429: "Too many requests; `Retry-After` says when to try again.",
    }.items()
}
"""What every route may answer besides what it is for."""

CODES = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unknown_type",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong with a request, before it is written in a form."""

    status: int
    code: str
    message: str
    request_id: str | None
    headers: Mapping[str, str] | None


class ProblemPage(Protocol):
    """Makes the page of a problem; None for a request that did not ask for a page."""

    def __call__(self, request: Request, problem: Problem) -> Response | None:
        """Make the page."""


def status_of(error: CrowdalphaError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def problem(
    request: Request,
    status: int,
    *,
    code: str,
    message: str,
    field: str | None = None,
    row: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Build the answer to a request that was refused."""
    request_id = getattr(request.state, "request_id", None)
    make_page = cast("ProblemPage | None", getattr(request.app.state, "problem_page", None))
    found = Problem(status, code, message, request_id, headers)
    if make_page is not None and (page := make_page(request, found)) is not None:
        return page
    error = {"code": code, "message": message, "field": field, "row": row, "request_id": request_id}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def install_problems(app: FastAPI, *, page: ProblemPage | None = None) -> None:
    """Answer every error of an app in the one shape, or as a page to those who asked for one."""
    app.state.problem_page = page
    app.add_exception_handler(CrowdalphaError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(Exception, _unexpected)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, CrowdalphaError):
        raise error
    headers = {"WWW-Authenticate": "Token"} if isinstance(error, Unauthenticated) else None
    if isinstance(error, TooManyRequests):
        headers = {"Retry-After": str(error.retry_after)}
    field, row = getattr(error, "field", None) or getattr(error, "column", None), getattr(error, "row", None)
    return problem(
        request,
        status_of(error),
        code=error.code,
        message=str(error),
        field=field if isinstance(field, str) else None,
        row=row if isinstance(row, int) else None,
        headers=headers,
    )


def _malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    parts: list[dict[str, Any]] = list(error.errors())
    paths = [".".join(str(step) for step in part["loc"][1:]) or str(part["loc"][0]) for part in parts]
    message = "; ".join(f"{path}: {part['msg']}" for path, part in zip(paths, parts, strict=True))
    return problem(request, 422, code="invalid_request", message=message, field=paths[0])


def _unstorable(request: Request, _error: Exception) -> Response:
    """Answer to text or numbers that a database cannot hold: nothing was stored, and there is nothing to find."""
    message = "a text has a NUL character or a number has too many digits; send what a person could have written"
    return problem(request, 422, code="invalid_request", message=message)


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = CODES.get(error.status_code, "refused")
    headers = dict(error.headers) if error.headers else None
    return problem(request, error.status_code, code=code, message=str(error.detail), headers=headers)


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, error=repr(error), exc_info=error)
    message = "the server made a mistake; it is in its log under this request_id"
    return problem(request, 500, code="internal_error", message=message)
