"""Answer a request that comes again with its key as the first time, and do its work once."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from crowdalpha.rules.errors import IdempotencyConflict
from crowdalpha.rules.hashing import Json, hash_of
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.replays import repository

__all__ = ["once"]


def once(
    session: Session,
    *,
    account_id: AccountId,
    key: str | None,
    request: Json,
    answer: Callable[[], dict[str, Json]],
    now: datetime,
) -> dict[str, Json]:
    """Do the work of a request and keep its answer, or give the answer that was kept.

    Parameters
    ----------
    session : Session
        Of the caller, who commits; what is refused is rolled back with the key.
    account_id : AccountId
        Whose key it is: two accounts may choose the same one.
    key : str, optional
        Chosen by the caller, once per wish; without one the work is done every time.
    request : Json
        What was asked for.
    answer : callable
        Does the work.
    now : datetime
        Time of the request.

    Raises
    ------
    IdempotencyConflict
        If the key was used for another request.
    """
    if key is None:
        return answer()
    request_sha256 = hash_of(request)
    if repository.add(session, account_id=account_id, key=key, request_sha256=request_sha256, now=now):
        given = answer()
        repository.keep_answer(session, account_id=account_id, key=key, answer=given)
        return given
    kept = repository.find(session, account_id=account_id, key=key)
    if kept is None or kept.answer is None or kept.request_sha256 != request_sha256:
        raise IdempotencyConflict(key)
    return kept.answer
