"""Answer one GraphQL request: one transaction, and a refusal that clients can show.

The status is 200 whatever happens: clients throw away the message of any other answer. An answer without a mistake has
no `errors` at all. A document is done whole or not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graphql import GraphQLError
from sqlalchemy.orm import Session
from strawberry.schema import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError

from crowdalpha.errors import CrowdalphaError
from crowdalpha.rules.hashing import Json
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.log import get_log
from crowdalpha.server.numerai.asking import Asking

__all__ = ["Answer", "Question", "execute", "refusal"]

log = get_log(__name__)

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Question:
    """A document, and values for its variables."""

    query: str
    variables: Mapping[str, Json]
    operation: str | None = None


class _Refused(Exception):  # noqa: N818  # named for what happened; it rolls back, and never leaves this module
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


def execute(
    schema: Schema, question: Question, *, platform: Platform, ask: Callable[[Session], Asking], request_id: str
) -> Answer:
    """Answer a question; what it changes is committed before this returns, or not done at all."""
    try:
        with platform.session() as session:
            data = _data(schema, question, ask(session))
    except _Refused as refused:
        return {"data": None, "errors": [_shown(error, request_id) for error in refused.errors]}
    except CannotGetOperationTypeError as error:
        return refusal(str(error), code="invalid_request")
    except CrowdalphaError as error:
        return refusal(str(error), code=error.code)
    except Exception as error:  # noqa: BLE001  # the boundary of a request: clients can read nothing but an answer
        return {"data": None, "errors": [_unexpected(error, request_id)]}
    return {"data": data}


def refusal(message: str, *, code: str) -> Answer:
    """Build the answer to a request that was refused."""
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}


def _data(schema: Schema, question: Question, asking: Asking) -> object:
    result = schema.execute_sync(
        question.query,
        variable_values=dict(question.variables),
        context_value=asking,
        operation_name=question.operation,
    )
    if result.errors:
        raise _Refused(result.errors)
    return result.data


def _shown(error: GraphQLError, request_id: str) -> Answer:
    cause = error.original_error
    if cause is None:
        shown: Answer = {"message": error.message, "extensions": {"code": "invalid_request"}}
    elif isinstance(cause, CrowdalphaError):
        shown = {"message": str(cause), "extensions": {"code": cause.code}}
    else:
        shown = _unexpected(cause, request_id)
    if error.path:
        shown["path"] = list(error.path)
    return shown


def _unexpected(error: Exception, request_id: str) -> Answer:
    log.error("request_failed", request_id=request_id, error=repr(error), exc_info=error)
    message = f"the server made a mistake; it is in its log under {request_id}"
    return {"message": message, "extensions": {"code": "internal_error"}}
