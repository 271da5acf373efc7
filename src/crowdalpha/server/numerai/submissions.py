"""Submissions: a place to put a file, the file taken and checked at once, what was handed in before."""

from datetime import datetime

import strawberry

from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.round import RoundState
from crowdalpha.server.models.service import Model
from crowdalpha.server.numerai.asking import Asked, Asking, whole_number
from crowdalpha.server.numerai.links import make_link
from crowdalpha.server.numerai.rounds import opened_rounds
from crowdalpha.server.submissions.service import Submission, list_submissions, submit
from crowdalpha.server.uploads.service import open_upload, take_upload

__all__ = [
    "UPLOAD",
    "FileAuth",
    "SubmissionMutations",
    "SubmissionOut",
    "SubmissionQueries",
    "place_for",
    "submissions_of",
]

UPLOAD, READ, DOWNLOAD = "upload_submission", "read_submission_info", "download_submission"


@strawberry.type
class FileAuth:
    """A file, and the address to put it at or fetch it from."""

    filename: str
    url: str


@strawberry.type
class RoundRef:
    """The round of a submission."""

    number: int
    tournament: int


@strawberry.type(name="Submission")
class SubmissionOut:
    """A file that was handed in; `selected` is the one that counts."""

    id: strawberry.ID
    filename: str
    inserted_at: datetime
    selected: bool
    trigger_id: str | None
    round: RoundRef


@strawberry.type
class SubmissionRef:
    """A file that was taken."""

    id: strawberry.ID


@strawberry.type
class SignalsSubmissionRef:
    """A file that was taken, and from when it counts."""

    id: strawberry.ID
    first_effective_date: datetime | None


@strawberry.type
class SubmissionQueries:
    """Questions about one's own submissions."""

    @strawberry.field
    def submission_upload_auth(
        self, info: Asked, filename: str, tournament: int | None = None, model_id: str | None = None
    ) -> FileAuth:
        """Give a place to put predictions in."""
        return place_for(info.context, filename, tournament=tournament, model_id=model_id)

    @strawberry.field
    def submission_upload_signals_auth(
        self, info: Asked, filename: str, tournament: int | None = None, model_id: str | None = None
    ) -> FileAuth:
        """Give a place to put predictions in."""
        return place_for(info.context, filename, tournament=tournament, model_id=model_id)

    @strawberry.field
    def submissions(
        self,
        info: Asked,
        model_id: str | None = None,
        id: str | None = None,
    ) -> list[SubmissionOut]:
        """List what a model handed in, newest first; or one of them."""
        if id is not None:
            model, found = _own_submission(info.context, id, scope=READ)
            return [each for each in submissions_of(info.context, model) if each.id == str(found.id)]
        return submissions_of(info.context, info.context.own_model(model_id, scope=READ))

    @strawberry.field
    def submission_download_auth(self, info: Asked, id: str | None = None) -> FileAuth:
        """Give an address to fetch one's own file from."""
        asking = info.context
        _, found = _own_submission(asking, id or "", scope=DOWNLOAD)
        url = make_link(
            asking.base_url,
            sha256=found.sha256,
            filename=found.filename,
            key=asking.platform.signing_key,
            now=asking.now,
        )
        return FileAuth(filename=found.filename, url=url)


@strawberry.type
class SubmissionMutations:
    """Take files that were put in their places."""

    @strawberry.mutation
    def create_submission(
        self,
        info: Asked,
        filename: str,
        tournament: int | None = None,
        model_id: str | None = None,
        trigger_id: str | None = None,
        source: str | None = None,
        data_datestamp: int | None = None,
        version: int | None = None,
    ) -> SubmissionRef:
        """Check a file and take it for the round that is open; the answer says whether it was taken."""
        model = info.context.own_model(model_id, scope=UPLOAD, tournament=tournament)
        taken = _take(info.context, model, filename, source=source, trigger_id=trigger_id)
        return SubmissionRef(id=strawberry.ID(str(taken.id)))

    @strawberry.mutation
    def create_signals_submission(
        self,
        info: Asked,
        filename: str,
        tournament: int | None = None,
        model_id: str | None = None,
        trigger_id: str | None = None,
        source: str | None = None,
        data_datestamp: int | None = None,
    ) -> SignalsSubmissionRef:
        """Check a file of a tournament on named assets and take it for the round that is open."""
        model = info.context.own_model(model_id, scope=UPLOAD, tournament=11 if tournament is None else tournament)
        taken = _take(info.context, model, filename, source=source, trigger_id=trigger_id)
        return SignalsSubmissionRef(id=strawberry.ID(str(taken.id)), first_effective_date=None)


def place_for(asking: Asking, filename: str, *, tournament: int | None, model_id: str | None) -> FileAuth:
    """Give a place to put a file in, for a model of the account that asks."""
    asking.own_model(model_id, scope=UPLOAD, tournament=tournament)
    upload = open_upload(asking.session, account_id=asking.account(UPLOAD), filename=filename, now=asking.now)
    return FileAuth(filename=upload.filename, url=asking.upload_url(upload.token))


def submissions_of(asking: Asking, model: Model) -> list[SubmissionOut]:
    """List what a model handed in, newest first."""
    listed = list_submissions(asking.session, model_id=model.id)
    counting: dict[RoundNumber, int] = {}
    for each in listed:  # by round and sequence: the last that is not late stays
        if not each.is_late or each.number not in counting:
            counting[each.number] = each.id
    return [_shown(each, model, selected=counting[each.number] == each.id) for each in reversed(listed)]


def _take(asking: Asking, model: Model, filename: str, *, source: str | None, trigger_id: str | None) -> Submission:
    """Take the file that was put under a name; a repeat gives what the first call gave."""
    session = asking.session
    before = [each for each in list_submissions(session, model_id=model.id) if each.filename == filename]
    if before:
        return before[-1]
    number = _open_round(asking, model)
    taken = take_upload(session, account_id=model.account_id, filename=filename, now=asking.now)
    receipt = submit(
        session,
        blobs=asking.platform.blobs,
        model_id=model.id,
        round_number=number,
        content=asking.platform.blobs.get(taken.sha256),
        filename=taken.filename,
        source=source,
        trigger_id=trigger_id,
        now=asking.now,
        signing_key=asking.platform.signing_key,
    )
    listed = list_submissions(session, number=receipt.round_number, model_id=model.id)
    return [each for each in listed if each.sha256 == receipt.content_sha256][-1]


def _open_round(asking: Asking, model: Model) -> RoundNumber:
    """Name the round that takes files of a model; between rounds the one that opened last, which takes them late."""
    opened = opened_rounds(asking, model.tournament_id)
    taking = [row for row in opened if row.state is RoundState.OPEN and asking.now < row.closes_at]
    return (taking or opened)[0].number


def _own_submission(asking: Asking, text: str, *, scope: str) -> tuple[Model, Submission]:
    """Find one of the own submissions by its id."""
    submission_id = whole_number(text, what="submission")
    for model in asking.own_models(scope):
        for each in list_submissions(asking.session, model_id=model.id):
            if each.id == submission_id:
                return model, each
    raise NotFound("submission", text)


def _shown(each: Submission, model: Model, *, selected: bool) -> SubmissionOut:
    return SubmissionOut(
        id=strawberry.ID(str(each.id)),
        filename=each.filename,
        inserted_at=each.received_at,
        selected=selected,
        trigger_id=each.trigger_id,
        round=RoundRef(number=each.number, tournament=model.tournament_id),
    )
