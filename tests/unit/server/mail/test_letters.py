from datetime import UTC, datetime

import pytest

from crowdalpha.server.mail.letters import Letter, email_letter, invite_letter, password_letter

UNTIL = datetime(2024, 1, 8, 12, tzinfo=UTC)
LINK = "https://alpha.example.org/x/t0ken"
LETTERS = [
    invite_letter(to="a@example.org", link=LINK, expires_at=UNTIL),
    password_letter(to="a@example.org", name="<ann & co>", link=LINK, expires_at=UNTIL),
    email_letter(to="a@example.org", name="<ann & co>", link=LINK, expires_at=UNTIL),
]


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.subject)
def test_a_letter_has_its_link_on_a_line_and_its_end(letter: Letter) -> None:
    assert LINK in letter.text.splitlines()
    assert "08 January 2024, 12:00 UTC" in letter.text
    assert letter.subject
    assert "t0ken" not in repr(letter)


def test_a_name_is_written_as_it_is() -> None:
    assert all("<ann & co>" in letter.text for letter in LETTERS[1:])
