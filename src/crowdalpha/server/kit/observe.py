"""What every request leaves behind: an id, a line of the log, and its part in the metrics."""

import secrets
import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crowdalpha.server.log import get_log

__all__ = ["Observed", "RequestMetrics"]

log = get_log(__name__)

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
UNKNOWN = "unknown"


class RequestMetrics:
    """Counts and times of the requests of one app, by route and not by address: addresses have no end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self._requests = Counter("crowdalpha_requests", "Requests that were answered.", labels, registry=registry)
        self._seconds = Histogram(
            "crowdalpha_request_seconds",
            "Time from a request to the end of its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )

    def tell(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class Observed:
    """Middleware that gives each request an id, and logs and counts it when it was answered."""

    def __init__(self, app: ASGIApp, *, metrics: RequestMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started, statuses = secrets.token_hex(8), time.perf_counter(), [500]
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                self._tell(scope, status=statuses[-1], seconds=time.perf_counter() - started)

    def _tell(self, scope: Scope, *, status: int, seconds: float) -> None:
        route, method = _route_of(scope), scope["method"]
        if method not in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}:
            method = UNKNOWN  # a caller may write anything there
        self._metrics.tell(method=method, route=route, status=status, seconds=seconds)
        log.info("request_answered", method=method, route=route, status=status, seconds=round(seconds, 4))


def _route_of(scope: Scope) -> str:
    """Name the route that a request came to, with its prefix, which the route itself does not know."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None or ":path}" in path:
        return path or UNKNOWN
    steps = scope["path"].split("/")
    return "/".join(steps[: len(steps) - path.count("/")]) + path
