import ssl
from pathlib import Path

import pytest

from crowdalpha.errors import InputError
from crowdalpha.server.mail.letters import Letter
from crowdalpha.server.mail.smtp import MailNotSent, read_mail_url, send
from tests.fixtures.certificates import contexts
from tests.fixtures.mail import mail_server

LETTER = Letter(to="ann@example.org", subject="Hello", text="Open https://alpha.example.org/invite/t0ken\n")
SENDER = "Alpha <alpha@example.org>"


def post(url: str, context: ssl.SSLContext | None = None) -> None:
    send(read_mail_url(url), LETTER, sender=SENDER, context=context)


def test_a_letter_goes_out_by_starttls_after_a_login(tmp_path: Path) -> None:
    serving, trusting = contexts(tmp_path, "localhost")
    with mail_server(serving) as box:
        post(f"smtp://user:p%40ss%20word@localhost:{box.port}", trusting)

    assert box.letters == [(LETTER.to, LETTER.subject, LETTER.text)]
    assert (box.encrypted, box.logins) == ([True], [True])


def test_a_letter_goes_out_by_tls_from_the_start(tmp_path: Path) -> None:
    serving, trusting = contexts(tmp_path, "localhost")
    with mail_server(serving, from_the_start=True) as box:
        post(f"smtps://localhost:{box.port}", trusting)

    assert (len(box.letters), box.encrypted, box.logins) == (1, [True], [])


def test_a_server_without_tls_gets_nothing_unless_the_operator_says_so() -> None:
    with mail_server() as box:
        with pytest.raises(MailNotSent, match="STARTTLS"):
            post(f"smtp://user:p%40ss%20word@localhost:{box.port}")
        assert (box.letters, box.logins) == ([], [])
        post(f"smtp+plain://localhost:{box.port}")

    assert len(box.letters) == 1


def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    serving, _ = contexts(tmp_path, "localhost")
    with mail_server(serving) as box, pytest.raises(MailNotSent, match="certificate"):
        post(f"smtp://localhost:{box.port}")

    assert box.letters == []


def test_a_wrong_login_a_refusal_and_nobody_there_are_told() -> None:
    with mail_server() as box:
        with pytest.raises(MailNotSent, match="535"):
            post(f"smtp+plain://user:wrong@localhost:{box.port}")
        box.refuses = True
        with pytest.raises(MailNotSent, match="no such person"):
            post(f"smtp+plain://localhost:{box.port}")
    with pytest.raises(MailNotSent, match=f"localhost:{box.port} did not take the letter"):
        post(f"smtp+plain://localhost:{box.port}")


def test_a_mail_server_s_address_has_its_usual_port_and_hides_its_password() -> None:
    server = read_mail_url("smtps://user:secretive@mail.example.org")

    assert (server.host, server.port, server.user, server.password) == ("mail.example.org", 465, "user", "secretive")
    assert "secretive" not in repr(server)


@pytest.mark.parametrize("url", ["http://x", "smtp:user", "mail.example.org", "smtp://h:99999", "smtp://[::1"])
def test_another_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InputError, match="smtp_url: write") as refused:
        read_mail_url(url)

    assert url not in str(refused.value)
