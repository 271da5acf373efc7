"""All SQL of datasets."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import DatasetRow

__all__ = ["add", "find", "list_all"]


def add(session: Session, row: DatasetRow) -> bool:
    """Insert unless the version is there; says whether it was inserted."""
    statement = insert(DatasetRow).values(
        version=row.version, manifest_sha256=row.manifest_sha256, files=row.files, published_at=row.published_at
    )
    inserted = session.scalars(statement.on_conflict_do_nothing().returning(DatasetRow.version)).one_or_none()
    return inserted is not None


def find(session: Session, version: str) -> DatasetRow | None:
    """Find a version."""
    return session.get(DatasetRow, version)


def list_all(session: Session) -> list[DatasetRow]:
    """List versions by name."""
    return list(session.scalars(select(DatasetRow).order_by(DatasetRow.version)))
