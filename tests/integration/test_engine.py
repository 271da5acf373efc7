import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session


@pytest.mark.parametrize(
    ("name", "value"), [("timezone", "UTC"), ("lock_timeout", "30s"), ("statement_timeout", "5min")]
)
def test_every_connection_has_the_settings_of_the_platform(session: Session, name: str, value: str) -> None:
    assert session.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one() == value
