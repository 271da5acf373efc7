"""Offer encrypted eras, take sealed submissions in, and open them when the round is due to close.

A secret key is a file of the operator's, in a folder that is no blob store; services are told the folder. Decrypted
predictions become an ordinary submission; what is recorded of them is coarse, and reserved beforehand as answers that
the key owes.
"""

import hmac
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.release.sealed import (
    Container,
    Expected,
    Kind,
    LeakBudget,
    Opened,
    OpenLimits,
    check_submission,
    open_submission,
    profile_named,
    read_container,
    row_order,
    wipe_secret,
)
from crowdalpha.rules.coarse import coarse_scores, paying_scores
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, NotFound, RoundClosed
from crowdalpha.rules.hashing import canonical_json, sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import HmacSigner, Receipt, issue_receipt, read_receipt
from crowdalpha.rules.round import RoundState
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import (
    SealedAnswerRow,
    SealedKeyRow,
    SealedOfferRow,
    SealedOpeningRow,
    SealedSubmissionRow,
)
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import get_model
from crowdalpha.server.rounds.service import Round, get_round, live_ids
from crowdalpha.server.sealed import repository
from crowdalpha.server.sealed.values import OpenedRound, SealedKey, SealedOffer, key_of, offer_of, opened_file
from crowdalpha.server.submissions.service import hold_open, latest_received_at, take_opened

__all__ = [
    "OpenedRound",
    "SealedKey",
    "SealedOffer",
    "add_key",
    "get_key",
    "has_opened",
    "list_keys",
    "list_offers",
    "list_unused_keys",
    "offer_round",
    "open_round_submissions",
    "secret_path",
    "submit_sealed",
    "told_scores",
    "wipe_finished",
]

HASH_ANSWERS = 6
"""Answers that a round's published hashes count for: 66 bits, more than anybody can guess by trying."""

log = get_log(__name__)


def add_key(session: Session, *, blobs: BlobStore, public: Path, now: datetime) -> SealedKey:
    """Register the public bundle of an epoch; a repeat changes nothing.

    Raises
    ------
    SealedFileError
        If the file is not a whole public bundle.
    """
    bundle = read_container(public, Kind.PUBLIC)
    row = SealedKeyRow(
        key_id=bundle.content.key_id,
        profile=bundle.profile.name,
        public_sha256=blobs.put_file(public),
        answers_allowed=LeakBudget.of(bundle.profile).allowed,
        created_at=now,
        wiped_at=None,
    )
    if repository.add_key(session, row):
        log.info("sealed_key_added", key_id=row.key_id, profile=row.profile, answers=row.answers_allowed)
    return get_key(session, row.key_id)


def get_key(session: Session, key_id: str) -> SealedKey:
    """Read a key, or refuse with `NotFound`."""
    row = repository.find_key(session, key_id)
    if row is None:
        raise NotFound("sealed key", key_id)
    return key_of(row, spent=repository.answers_of(session, key_id))


def list_keys(session: Session) -> list[SealedKey]:
    """List keys, the oldest first."""
    return [key_of(row, spent=repository.answers_of(session, row.key_id)) for row in repository.list_keys(session)]


def list_unused_keys(session: Session) -> list[SealedKey]:
    """List keys that serve no round yet and whose secret was not wiped: the latest of each parameter set."""
    used = {offer.key_id for offer in repository.list_offers(session)}
    waiting = [key for key in list_keys(session) if key.key_id not in used and key.wiped_at is None]
    return list({key.profile: key for key in waiting}.values())


def offer_round(
    session: Session, *, blobs: BlobStore, number: RoundNumber, era: Path, moments: Path | None = None, now: datetime
) -> SealedOffer:
    """Publish an encrypted era with a round, and moments to train on.

    Raises
    ------
    Conflict
        If the round is not open, is on named assets, or the key serves another round: each round has its own.
    InputError
        If the era is not of the live rows of this round, in their order.
    IdempotencyConflict
        If the round offers that parameter set already, under another key.
    """
    row, opened = get_round(session, number), read_container(era, Kind.ERA)
    _demand_offerable(row, opened, live_ids(session, number))
    key = get_key(session, opened.content.key_id)
    if moments is not None and read_container(moments, Kind.MOMENTS).content.key_id != key.key_id:
        raise InputError(f"{moments.name} was encrypted with another key than {era.name}; encrypt both with one")
    offered = repository.find_offer(session, number=number, profile=key.profile)
    if offered is not None:
        if offered.key_id != key.key_id:
            raise IdempotencyConflict(f"sealed:{number}:{key.profile}")
        return offer_of(offered, key)
    if repository.list_offers(session, key_id=key.key_id):
        raise Conflict(f"key {key.key_id[:12]} serves another round; every round has a key of its own: draw a new one")
    offer = SealedOfferRow(
        round_number=number,
        profile=key.profile,
        key_id=key.key_id,
        era_sha256=blobs.put_file(era),
        moments_sha256=None if moments is None else blobs.put_file(moments),
        row_order=opened.content.row_order,
        n_rows=opened.content.n_rows,
        published_at=now,
    )
    repository.add_offer(session, offer)
    _reserve(session, key.key_id, model_id=None, answers=HASH_ANSWERS, now=now)
    log.info("sealed_era_offered", round=number, profile=key.profile, key_id=key.key_id)
    return offer_of(offer, get_key(session, key.key_id))


def list_offers(session: Session, *, number: RoundNumber) -> list[SealedOffer]:
    """List what a round offers, by parameter set."""
    get_round(session, number)
    return [offer_of(row, get_key(session, row.key_id)) for row in repository.list_offers(session, number=number)]


def submit_sealed(
    session: Session,
    *,
    blobs: BlobStore,
    model_id: ModelId,
    round_number: RoundNumber,
    content: bytes,
    filename: str = "predictions.sealed",
    now: datetime,
    signing_key: bytes,
) -> Receipt:
    """Check, store and acknowledge a sealed submission; the latest upload before the close counts, sealed or plain.

    Only what anybody can see is checked. A model's first upload reserves the answers that its scores will be.

    Raises
    ------
    RoundClosed
        If the round takes no submissions at `now`.
    SealedFileError
        If the file is not a whole submission to what this round offers.
    LeakBudgetSpentError
        If the key may not give so many answers more: the round then needs a new key.
    """
    get_model(session, model_id)
    row = get_round(session, round_number)
    if not hold_open(session, row, model_id=model_id, now=now):
        raise RoundClosed(round_number)
    offer = _offer_for(session, row, content)
    latest = repository.find_latest(session, number=round_number, model_id=model_id)
    sha256 = sha256_hex(content)
    if latest is not None and latest.sha256 == sha256:
        return read_receipt(canonical_json(latest.receipt))
    if repository.find_answers(session, key_id=offer.key_id, model_id=model_id) is None:
        answers = max(1, len(paying_scores(row.rulebook)))
        _reserve(session, offer.key_id, model_id=model_id, answers=answers, now=now)
    receipt = issue_receipt(
        round_number=round_number,
        model_id=model_id,
        content_sha256=blobs.put(content),
        rulebook_hash=row.rulebook.hash,
        received_at=now.astimezone(UTC),
        signer=HmacSigner(signing_key),
    )
    repository.add_submission(
        session,
        SealedSubmissionRow(
            round_number=round_number,
            model_id=model_id,
            sequence=1 if latest is None else latest.sequence + 1,
            key_id=offer.key_id,
            sha256=sha256,
            filename=filename,
            receipt=receipt.to_json(),
            received_at=now,
        ),
    )
    log.info("sealed_submission_accepted", round=round_number, model_id=model_id, sha256=sha256)
    return receipt


def open_round_submissions(
    session: Session,
    *,
    blobs: BlobStore,
    number: RoundNumber,
    secrets: Path,
    now: datetime,
    limits: OpenLimits | None = None,
    replay_key: bytes | None = None,
) -> OpenedRound:
    """Open every sealed submission that counts, each in a process of its own; run this before the close.

    A repeat opens what is left. A submission that cannot be used is one coarse outcome, and its model is as if it had
    not submitted. With a `replay_key` the salts of opened files follow from it, so that a simulated round can be played
    again; without, they are drawn.

    Raises
    ------
    Conflict
        If the round takes submissions still.
    WrongState
        If it is closed already.
    """
    row = get_round(session, number)
    if now < row.closes_at:
        raise Conflict(f"round {number} closes at {row.closes_at}, it is {now}; sealed submissions are opened then")
    ids = live_ids(session, number)
    outcomes = {"opened": 0, "rejected": 0, "superseded": 0}
    for each in repository.list_counting(session, number):
        done = repository.find_opening(session, each.id)
        if done is None:
            done = _open(
                session, blobs, row, each, ids=ids, secrets=secrets, now=now, limits=limits, replay_key=replay_key
            )
        outcomes[done.outcome] += 1
    log.info("sealed_round_opened", round=number, **outcomes)
    return OpenedRound(number, **outcomes)


def has_opened(session: Session, *, number: RoundNumber) -> bool:
    """Say whether predictions of a round came out of sealed submissions: then nothing made of them is published."""
    return bool(repository.list_sealed_models(session, number))


def told_scores(
    session: Session,
    *,
    row: Round,
    model_ids: tuple[ModelId, ...],
    scores: tuple[Mapping[str, int | None], ...],
    final: bool,
) -> tuple[Mapping[str, int | None], ...]:
    """Make the scores of sealed models coarse, and leave the others as they are."""
    sealed = set(repository.list_sealed_models(session, row.number))
    return tuple(
        coarse_scores(each, rulebook=row.rulebook, final=final) if model_id in sealed else each
        for model_id, each in zip(model_ids, scores, strict=True)
    )


def wipe_finished(session: Session, *, secrets: Path, now: datetime) -> list[str]:
    """Destroy the secrets of keys whose round has closed or was voided; gives their names. Safe to repeat."""
    finished = repository.list_finished_keys(session)
    for key_id in finished:
        wipe_secret(secret_path(secrets, key_id))
        repository.mark_wiped(session, key_id, now=now)
        log.info("sealed_secret_wiped", key_id=key_id)
    return finished


def secret_path(secrets: Path, key_id: str) -> Path:
    """Say where the secret of a key lies."""
    return secrets / f"{key_id}.secret"


def _open(  # noqa: PLR0913  # one submission, with everything that opening it needs
    session: Session,
    blobs: BlobStore,
    row: Round,
    sealed: SealedSubmissionRow,
    *,
    ids: tuple[str, ...],
    secrets: Path,
    now: datetime,
    limits: OpenLimits | None,
    replay_key: bytes | None,
) -> SealedOpeningRow:
    model_id = ModelId(sealed.model_id)
    plain = latest_received_at(session, number=row.number, model_id=model_id)
    submission_id: int | None = None
    if plain is not None and plain > sealed.received_at:
        outcome = "superseded"
    else:
        with tempfile.TemporaryDirectory(prefix="sealed") as folder:
            path = Path(folder) / "submission.sealed"
            path.write_bytes(blobs.get(sealed.sha256))
            secret = secret_path(secrets, sealed.key_id)
            found = open_submission(secret, path, expected=_expected(session, row, sealed.key_id), limits=limits)
        outcome = "opened" if isinstance(found, Opened) else "rejected"
        if isinstance(found, Opened):
            submission_id = take_opened(
                session,
                blobs=blobs,
                row=row,
                model_id=model_id,
                content=opened_file(ids, found.predictions, salt=_salt(replay_key, row.number, model_id)),
                receipt=sealed.receipt,
                received_at=sealed.received_at,
            )
    opening = SealedOpeningRow(
        sealed_submission_id=sealed.id, outcome=outcome, submission_id=submission_id, opened_at=now
    )
    repository.add_opening(session, opening)
    return opening


def _salt(replay_key: bytes | None, number: RoundNumber, model_id: ModelId) -> str | None:
    if replay_key is None:
        return None
    return hmac.new(replay_key, f"sealed:{number}:{model_id}".encode(), "sha256").hexdigest()


def _offer_for(session: Session, row: Round, content: bytes) -> SealedOfferRow:
    """Find what a file is a submission to, and check it as far as anybody can."""
    with tempfile.TemporaryDirectory(prefix="sealed") as folder:
        path = Path(folder) / "submission"
        path.write_bytes(content)
        profile = read_container(path, Kind.SUBMISSION).profile.name
        offer = repository.find_offer(session, number=row.number, profile=profile)
        if offer is None:
            raise InputError(f"round {row.number} offers no era encrypted with {profile}; see what it offers")
        check_submission(path, _expected(session, row, offer.key_id))
    return offer


def _expected(session: Session, row: Round, key_id: str) -> Expected:
    offer = repository.list_offers(session, number=row.number, key_id=key_id)[0]
    return Expected(
        profile=profile_named(offer.profile),
        key_id=offer.key_id,
        round_number=row.number,
        era=row.era,
        n_rows=offer.n_rows,
        row_order=offer.row_order,
    )


def _demand_offerable(row: Round, era: Container, ids: tuple[str, ...]) -> None:
    if row.state is not RoundState.OPEN:
        raise Conflict(f"round {row.number} is {row.state}, and an encrypted era is offered while it is open")
    if row.rulebook.kind == "named":
        raise Conflict(f"round {row.number} is on named assets, whose features participants have; nothing is sealed")
    content = era.content
    if (content.round, content.era) != (row.number, row.era):
        raise InputError(f"{era.path.name} is of round {content.round}, era {content.era}; encrypt era {row.era} anew")
    if (content.n_rows, content.row_order) != (len(ids), row_order(ids)):
        raise InputError(f"{era.path.name} has other rows than the live ids of round {row.number}, or another order")


def _reserve(session: Session, key_id: str, *, model_id: ModelId | None, answers: int, now: datetime) -> None:
    """Count answers before they are given; refuses what the key may not tell."""
    key = repository.find_key(session, key_id, lock=True)
    if key is None:
        raise NotFound("sealed key", key_id)
    LeakBudget(key.answers_allowed, repository.answers_of(session, key_id)).spend(answers)
    repository.add_answers(session, SealedAnswerRow(key_id=key_id, model_id=model_id, answers=answers, reserved_at=now))
