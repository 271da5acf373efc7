import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import HmacSigner, Receipt, issue_receipt, read_receipt, verify_receipt

KEY = b"k" * 32
SIGNER = HmacSigner(KEY)
NOW = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)


def receipt(now: datetime = NOW) -> Receipt:
    return issue_receipt(
        round_number=RoundNumber(3),
        model_id=ModelId(9),
        content_sha256="a" * 64,
        rulebook_hash="b" * 64,
        received_at=now,
        signer=SIGNER,
    )


def test_a_receipt_verifies_with_its_key_and_no_other() -> None:
    assert verify_receipt(receipt(), SIGNER)
    assert not verify_receipt(receipt(), HmacSigner(b"x" * 32))


def test_the_signature_is_the_hmac_of_the_other_fields() -> None:
    fields = receipt().to_json()
    signature = fields.pop("signature")
    message = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    assert signature == hmac.new(KEY, message, hashlib.sha256).hexdigest()


def test_the_time_is_written_in_utc_to_the_microsecond() -> None:
    assert receipt().received_at == "2026-03-01T12:30:00.000005+00:00"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("round_number", 4),
        ("model_id", 8),
        ("content_sha256", "c" * 64),
        ("rulebook_hash", "c" * 64),
        ("received_at", "2026-03-01T12:00:00.000000+00:00"),
        ("key_id", "0" * 16),
        ("signature", "0" * 64),
        ("signature", "é"),
    ],
)
def test_a_changed_field_is_noticed(field: str, value: object) -> None:
    assert not verify_receipt(receipt().model_copy(update={field: value}), SIGNER)


def test_a_receipt_reads_back_as_itself() -> None:
    assert read_receipt(json.dumps(receipt().to_json())) == receipt()


def test_what_is_no_receipt_is_refused_by_field() -> None:
    with pytest.raises(InputError, match=r"not a receipt: .*content_sha256"):
        read_receipt(json.dumps({**receipt().to_json(), "content_sha256": "A" * 64}))


@pytest.mark.parametrize("now", [NOW.replace(tzinfo=None), NOW.astimezone(timezone(timedelta(hours=1)))])
def test_a_time_outside_utc_is_refused(now: datetime) -> None:
    with pytest.raises(InputError, match="not in UTC"):
        receipt(now)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(InputError, match="at least 32"):
        HmacSigner(b"short")


def test_the_key_is_not_printed() -> None:
    assert "kkk" not in repr(SIGNER)
