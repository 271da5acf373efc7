import base64

from crowdalpha.server.deliveries.signing import PREFIX, secret_of, shown_secret, sign


def test_a_signature_is_the_one_of_the_published_example() -> None:
    """The example of the Standard Webhooks libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signed = sign(secret, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_follows_from_key_and_salt() -> None:
    shown = shown_secret(b"key", "salt")

    assert base64.b64decode(shown.removeprefix(PREFIX)) == secret_of(b"key", "salt")
    assert len({secret_of(key, salt) for key in (b"key", b"other") for salt in ("salt", "other")}) == 4
    assert len(secret_of(b"key", "salt")) == 32
