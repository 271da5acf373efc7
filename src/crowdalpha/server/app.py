"""The HTTP application: one app over one platform, made of the features' routes."""

import secrets
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from crowdalpha import __version__
from crowdalpha.server.accounts import routes as accounts
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.invites import routes as invites
from crowdalpha.server.keys import routes as keys
from crowdalpha.server.keys.service import authenticate
from crowdalpha.server.kit.depends import Clock, Gate, utc_now
from crowdalpha.server.kit.problems import install_problems
from crowdalpha.server.logins import routes as logins
from crowdalpha.server.logins.service import authenticate_login
from crowdalpha.server.numerai import routes as numerai
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
    install_problems(app)
    app.middleware("http")(_with_request_id)
    for feature in (tournaments, accounts, keys, invites, logins, uploads, webhooks):
        app.include_router(feature.router, prefix=API)
    app.include_router(numerai.router)
    return app


async def _with_request_id(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give each request an id, so that an answer and a line of the log can be brought together."""
    request.state.request_id = secrets.token_hex(8)
    response = await call_next(request)
    response.headers["X-Request-ID"] = request.state.request_id
    return response
