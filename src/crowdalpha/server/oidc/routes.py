"""HTTP of sign-in through a provider: away, and back."""

from typing import Annotated

import httpx2
from fastapi import APIRouter, Query, Request, status
from fastapi.responses import RedirectResponse

from crowdalpha.rules.errors import Forbidden, NotFound
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.kit.depends import Now, PlatformOf
from crowdalpha.server.kit.links import is_secure
from crowdalpha.server.logins.routes import keep_login
from crowdalpha.server.oidc.cookie import COOKIE, LASTS, Started, read_started, written
from crowdalpha.server.oidc.provider import Client, SignIn, begin, discover, finish
from crowdalpha.server.oidc.service import sign_in
from crowdalpha.server.tokens import new_token

__all__ = ["router"]

router = APIRouter(prefix="/logins/oidc", tags=["logins"])

TIMEOUT_S = 10.0
Text = Annotated[str | None, Query(max_length=4000)]


@router.get("", status_code=status.HTTP_303_SEE_OTHER, response_class=RedirectResponse)
def leave(
    request: Request, platform: PlatformOf, now: Now, invite: Annotated[str | None, Query(max_length=200)] = None
) -> RedirectResponse:
    """Send a browser to the provider; with the token of an invitation if it has one."""
    client = _client(request, platform)
    begun = Started(SignIn(new_token(), new_token(), new_token()), invite, int(now.timestamp() + LASTS.total_seconds()))
    with _http() as http:
        provider = discover(http, client)
    answer = RedirectResponse(begin(provider, client, begun.sign_in), status_code=status.HTTP_303_SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        written(begun, signing_key=platform.signing_key),
        max_age=int(LASTS.total_seconds()),
        path=request.url.path,
        httponly=True,
        samesite="lax",
        secure=is_secure(platform, request),
    )
    return answer


@router.get("/callback", status_code=status.HTTP_303_SEE_OTHER, response_class=RedirectResponse)
def come_back(
    request: Request, platform: PlatformOf, now: Now, state: Text = None, code: Text = None
) -> RedirectResponse:
    """Take a browser back from the provider, sign it in and lead it to the first page."""
    client = _client(request, platform)
    begun = read_started(request.cookies.get(COOKIE, ""), signing_key=platform.signing_key, state=state or "", now=now)
    if begun is None or code is None:
        raise Forbidden("this browser did not begin this sign-in, or took more than ten minutes; begin again")
    with _http() as http:
        identity = finish(http, discover(http, client), client, begun.sign_in, code=code, now=now)
    with platform.session() as session:
        made = sign_in(
            session,
            email=identity.email,
            name=identity.name,
            invite=begun.invite,
            opens_accounts=platform.settings.oidc_opens_accounts,
            device=request.headers.get("user-agent", ""),
            now=now,
        )
    answer = RedirectResponse(f"{platform.settings.public_url}/", status_code=status.HTTP_303_SEE_OTHER)
    keep_login(answer, made, secure=is_secure(platform, request))
    answer.delete_cookie(COOKIE, path=request.url.path.removesuffix("/callback"))
    return answer


def _client(request: Request, platform: Platform) -> Client:
    settings = platform.settings
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.oidc_client_secret is None:
        raise NotFound("provider", "to sign in through; sign in with a password")
    path = request.app.url_path_for("come_back")
    return Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=f"{settings.public_url}{path}",
    )


def _http() -> httpx2.Client:
    return httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
