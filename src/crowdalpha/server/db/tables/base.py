"""The base of every table and the SQL type of each Python type."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, Text
from sqlalchemy.orm import DeclarativeBase

__all__ = ["Base"]

NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}


class Base(DeclarativeBase):
    """Whole numbers and money are BIGINT, text has no length, times carry their zone."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {int: BigInteger, str: Text, datetime: DateTime(timezone=True), Decimal: Numeric()}  # noqa: RUF012  # SQLAlchemy's own name
