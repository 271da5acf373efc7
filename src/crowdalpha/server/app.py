"""The HTTP application: one app over one platform, made of the features' routes."""

from importlib import import_module
from typing import cast

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from pydantic import JsonValue

from crowdalpha import __version__
from crowdalpha.errors import InputError
from crowdalpha.server.accounts import routes as accounts
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.datasets import routes as datasets
from crowdalpha.server.diagnostics import routes as diagnostics
from crowdalpha.server.invites import routes as invites
from crowdalpha.server.jobs import routes as jobs
from crowdalpha.server.keys import routes as keys
from crowdalpha.server.keys.service import authenticate
from crowdalpha.server.kit.depends import Clock, Gate, utc_now
from crowdalpha.server.kit.limits import BodyLimit, Rate, RateLimit, SecurityHeaders
from crowdalpha.server.kit.observe import Observed, RequestMetrics
from crowdalpha.server.kit.problems import PROBLEMS, install_problems
from crowdalpha.server.leaderboards import routes as leaderboards
from crowdalpha.server.ledger import routes as ledger
from crowdalpha.server.logins import routes as logins
from crowdalpha.server.logins.service import authenticate_login
from crowdalpha.server.models import routes as models
from crowdalpha.server.numerai import downloads
from crowdalpha.server.numerai import routes as numerai
from crowdalpha.server.operations import routes as operations
from crowdalpha.server.portfolios import routes as portfolios
from crowdalpha.server.queued import routes as queued
from crowdalpha.server.results import routes as results
from crowdalpha.server.sealed import routes as sealed
from crowdalpha.server.settings import Settings
from crowdalpha.server.stakes import routes as stakes
from crowdalpha.server.status import routes as status
from crowdalpha.server.submissions import routes as submissions
from crowdalpha.server.tournaments import routes as tournaments
from crowdalpha.server.uploads import routes as uploads
from crowdalpha.server.web import routes as web
from crowdalpha.server.web.problems import problem_page
from crowdalpha.server.webhooks import routes as webhooks

__all__ = ["API", "api_document", "create_app"]

API = "/api/v1"
"""Where the REST interface is."""

FEATURES = (
    tournaments,
    accounts,
    keys,
    invites,
    logins,
    datasets,
    results,
    models,
    uploads,
    submissions,
    queued,
    diagnostics,
    stakes,
    ledger,
    leaderboards,
    portfolios,
    sealed,
    webhooks,
    jobs,
    operations,
    status,
)


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
    app = _with_routes()
    if platform.settings.oidc_issuer is not None:
        app.include_router(_provider_router(), prefix=API, responses=PROBLEMS)
    app.state.platform = platform
    app.state.clock = clock
    app.state.gate = Gate(by_key=authenticate, by_login=authenticate_login)
    app.state.registry = registry = CollectorRegistry()
    install_problems(app, page=problem_page)
    _add_middleware(app, platform.settings)
    app.add_middleware(Observed, metrics=RequestMetrics(registry))
    return app


def api_document() -> dict[str, JsonValue]:
    """Describe the REST interface as an OpenAPI document; no platform is needed for that."""
    return _with_routes().openapi()


def _with_routes() -> FastAPI:
    app = FastAPI(
        title="crowdalpha",
        version=__version__,
        docs_url="/docs",
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.include_router(status.probes)
    for feature in FEATURES:
        app.include_router(feature.router, prefix=API, responses=PROBLEMS)
    for edge in (numerai, downloads, web):
        app.include_router(edge.router)
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Add what every request passes, the innermost first."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.body_max_bytes,
        pause=settings.upload_pause,
        total=settings.upload_timeout,
        elsewhere=(f"{API}/uploads/",),
    )
    app.add_middleware(
        RateLimit,
        by_key=Rate(settings.rate_per_key, settings.burst_per_key),
        by_address=Rate(settings.rate_per_address, settings.burst_per_address),
    )
    app.add_middleware(SecurityHeaders, data_under=API)


def _provider_router() -> APIRouter:
    """Load sign-in through a provider; only who names one needs its libraries."""
    try:
        routes = import_module("crowdalpha.server.oidc.routes")
    except ModuleNotFoundError as missing:
        raise InputError(f"oidc_issuer needs {missing.name}; run pip install 'crowdalpha[oidc]'") from missing
    return cast("APIRouter", routes.router)
