"""HTTP of how the platform is."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from crowdalpha.server.kit.depends import SessionOf

__all__ = ["probes"]

probes = APIRouter(tags=["status"])


class Probe(BaseModel):
    """The answer to a probe."""

    status: str


@probes.get("/health")
def health() -> Probe:
    """Say that the process answers."""
    return Probe(status="ok")


@probes.get("/ready")
def ready(session: SessionOf) -> Probe:
    """Say that the process can work: the database answers."""
    session.execute(text("SELECT 1"))
    return Probe(status="ok")
