"""HTTP of how the platform is: probes, the status, metrics."""

from typing import cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from pydantic import BaseModel
from sqlalchemy import text

from crowdalpha.server.kit.depends import Auditing, MaybeCaller, Now, PlatformOf, SessionOf
from crowdalpha.server.status.metrics import render_metrics
from crowdalpha.server.status.schemas import StatusOut
from crowdalpha.server.status.service import disk_of, read_status

__all__ = ["probes", "router"]

probes = APIRouter(tags=["status"])
router = APIRouter(tags=["status"])


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


@probes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, session: SessionOf, platform: PlatformOf, now: Now, _: Auditing) -> Response:
    """Give the metrics to Prometheus, which needs a key with the scope `audit`."""
    content = render_metrics(
        cast("CollectorRegistry", request.app.state.registry),
        status=read_status(session, now=now),
        disk=disk_of(platform.settings.data_dir),
    )
    return Response(content, media_type=CONTENT_TYPE_LATEST)


@probes.get("/status", include_in_schema=False)
@router.get("/status")
def get_status(session: SessionOf, platform: PlatformOf, now: Now, caller: MaybeCaller) -> StatusOut:
    """Say what waits, what was done last, and by what clock; more to those who run the platform."""
    runs_it = caller is not None and not caller.scopes.isdisjoint({"audit", "operate"})
    return StatusOut.of(read_status(session, now=now), disk=disk_of(platform.settings.data_dir) if runs_it else None)
