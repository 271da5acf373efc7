"""What is said to a provider, and what is believed of its answers.

Authorization code flow with PKCE: the code that comes back through the browser is worth nothing without a verifier
that the provider saw the hash of. The ID token is believed if the provider's key signed it, for this client, for this
very sign-in (nonce), and its time is not over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from urllib.parse import quote

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from crowdalpha.rules.errors import Forbidden
from crowdalpha.server.errors import ServerError

__all__ = ["Client", "Identity", "Provider", "ProviderUnavailable", "SignIn", "begin", "discover", "finish"]

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures by a key that the provider alone has; none by a shared word, and never none at all."""

LEEWAY_S = 60
MAX_ANSWER = 1 << 20


class ProviderUnavailable(ServerError):  # noqa: N818 - named for what happened
    """The provider could not be reached, or answered with what is no OpenID Connect."""

    code = "provider_unavailable"


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows this platform as."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider is asked what."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """What one sign-in is bound to; the browser keeps it until it comes back."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, by a provider that has checked the address."""

    email: str
    name: str


def discover(http: httpx2.Client, client: Client) -> Provider:
    """Read what a provider publishes about itself.

    Raises
    ------
    ProviderUnavailable
        If it cannot be reached, is another issuer, or does not say what OpenID Connect demands.
    """
    found = _json(http, "GET", get_well_known_url(client.issuer, external=True))
    try:
        OpenIDProviderMetadata(found).validate_issuer()
        if found["issuer"] != client.issuer:
            raise ProviderUnavailable(f"the provider calls itself {found['issuer']!r:.200}, not {client.issuer!r:.200}")
        places = [found[name] for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        userinfo = found.get("userinfo_endpoint")
    except (KeyError, ValueError) as error:
        raise ProviderUnavailable(f"the provider does not publish what it must: {error}") from error
    if not all(isinstance(place, str) for place in places):
        raise ProviderUnavailable("the provider does not publish its addresses as text")
    return Provider(str(places[0]), str(places[1]), str(places[2]), userinfo if isinstance(userinfo, str) else None)


def begin(provider: Provider, client: Client, sign_in: SignIn) -> str:
    """Return the address that a browser is sent to."""
    address = prepare_grant_uri(
        provider.authorization_endpoint,
        client.client_id,
        "code",
        redirect_uri=client.redirect_uri,
        scope="openid email profile",
        state=sign_in.state,
        nonce=sign_in.nonce,
        code_challenge=create_s256_code_challenge(sign_in.verifier),
        code_challenge_method="S256",
    )
    return cast("str", address)


def finish(
    http: httpx2.Client, provider: Provider, client: Client, sign_in: SignIn, *, code: str, now: datetime
) -> Identity:
    """Trade a code for who somebody is.

    Raises
    ------
    ProviderUnavailable
        If the provider cannot be reached.
    Forbidden
        If the code or the ID token cannot be believed, or the provider has not checked the address.
    """
    answer = _json(
        http,
        "POST",
        provider.token_endpoint,
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": sign_in.verifier,
        },
        # RFC 6749, section 2.3.1: both halves are form-encoded before they are joined
        auth=httpx2.BasicAuth(quote(client.client_id, safe=""), quote(client.client_secret, safe="")),
    )
    claims = _believed(http, provider, client, sign_in, answer=answer, now=now)
    if "email" not in claims and provider.userinfo_endpoint is not None:
        headers = {"Authorization": f"Bearer {answer.get('access_token')}"}
        more = _json(http, "GET", provider.userinfo_endpoint, headers=headers)
        claims = {**claims, **more} if more.get("sub") == claims.get("sub") else claims
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") not in {True, "true"}:
        raise Forbidden("the provider has not verified an e-mail address of yours; verify one there and sign in again")
    name = claims.get("preferred_username") or claims.get("name")
    return Identity(email=email, name=name if isinstance(name, str) else email.partition("@")[0])


def _believed(
    http: httpx2.Client,
    provider: Provider,
    client: Client,
    sign_in: SignIn,
    *,
    answer: Mapping[str, object],
    now: datetime,
) -> dict[str, object]:
    """Check an ID token, and give its claims."""
    keys = _json(http, "GET", provider.jwks_uri)
    try:
        token = jwt.decode(str(answer.get("id_token", "")), KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]  # as received; it checks itself
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": client.issuer},
                "aud": {"essential": True, "value": client.client_id},
            },
            params={
                "nonce": sign_in.nonce,
                "client_id": client.client_id,
                "access_token": answer.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
    except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
        raise Forbidden(
            f"the answer of the provider cannot be believed ({type(error).__name__}); sign in again"
        ) from error
    return dict(claims)


def _json(
    http: httpx2.Client,
    method: str,
    url: str,
    *,
    data: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: httpx2.Auth | None = None,
) -> dict[str, object]:
    try:
        answer = http.request(method, url, data=data, headers=headers, auth=auth)
    except httpx2.HTTPError as error:
        raise ProviderUnavailable(f"the provider cannot be reached: {type(error).__name__}") from error
    if 400 <= answer.status_code < 500 and method == "POST":  # noqa: PLR2004  # HTTP's own numbers
        raise Forbidden("the provider did not take the code: it was used or its time is over; sign in again")
    if not answer.is_success or len(answer.content) > MAX_ANSWER:
        raise ProviderUnavailable(f"the provider answered {answer.status_code}")
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ProviderUnavailable("the provider answered with what is no JSON object")
    return found
