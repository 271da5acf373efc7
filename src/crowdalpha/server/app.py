"""The HTTP application: one app over one platform, made of the features' routes."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from crowdalpha import __version__
from crowdalpha.server.accounts import routes as accounts
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.invites import routes as invites
from crowdalpha.server.keys import routes as keys
from crowdalpha.server.keys.service import authenticate
from crowdalpha.server.kit.depends import Clock, Gate, utc_now
from crowdalpha.server.kit.observe import Observed, RequestMetrics
from crowdalpha.server.kit.problems import install_problems
from crowdalpha.server.logins import routes as logins
from crowdalpha.server.logins.service import authenticate_login
from crowdalpha.server.numerai import downloads
from crowdalpha.server.numerai import routes as numerai
from crowdalpha.server.sealed import routes as sealed
from crowdalpha.server.status import routes as status
from crowdalpha.server.tournaments import routes as tournaments
from crowdalpha.server.uploads import routes as uploads
from crowdalpha.server.webhooks import routes as webhooks

__all__ = ["API", "create_app"]

API = "/api/v1"
"""Where the REST interface is."""


def create_app(platform: Platform, *, clock: Clock = utc_now) -> FastAPI:
    """Build the app that serves a platform.

    Parameters
    ----------
    platform : Platform
        Open, and open as long as the app is served.
    clock : callable, optional
        Tells the time in UTC; a season in the lab has its own.

    Returns
    -------
    FastAPI
        With the REST interface under `/api/v1`, its OpenAPI document at `/openapi.json`.
    """
    app = FastAPI(title="crowdalpha", version=__version__, docs_url="/docs", redoc_url=None)
    app.state.platform = platform
    app.state.clock = clock
    app.state.gate = Gate(by_key=authenticate, by_login=authenticate_login)
    app.state.registry = registry = CollectorRegistry()
    install_problems(app)
    app.add_middleware(Observed, metrics=RequestMetrics(registry))
    app.include_router(status.probes)
    for feature in (tournaments, accounts, keys, invites, logins, uploads, sealed, webhooks):
        app.include_router(feature.router, prefix=API)
    for edge in (numerai, downloads):
        app.include_router(edge.router)
    return app
