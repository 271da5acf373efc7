from datetime import timedelta

from sqlalchemy import URL

from crowdalpha.server.db.engine import build_engine, driver_url


def test_an_address_gets_the_driver_in_use() -> None:
    url = driver_url("postgresql://u:p@host:1/db?sslmode=require")

    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@host:1/db?sslmode=require"


def test_an_engine_connects_only_when_asked() -> None:
    engine = build_engine(
        URL.create("postgresql+psycopg", host="nowhere.invalid"),
        pool_size=3,
        lock_timeout=timedelta(seconds=1),
        statement_timeout=timedelta(seconds=2),
    )

    assert engine.dialect.driver == "psycopg"
