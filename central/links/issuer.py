"""The hospital's issuer of identities (OpenID Connect): where to send a browser, and what it brought back.

Authorization code flow with PKCE and a nonce; the identity token is checked against the issuer's own keys. The rule
that must not be broken: nothing a browser brings is believed before the issuer itself has answered for it.

Sources: OpenID Connect Core 1.0 section 3.1 (code flow, 3.1.3.7 checks of the token), RFC 7636 (PKCE), RFC 9700.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from central.core.directory import GROUPS_MAX, Known
from central.errors import BadInput, NotReady
from protocols.errors import BadValue
from protocols.values.ids import actor_id
from protocols.values.instant import Instant

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by a key of the issuer's; never one by a secret both know, never none."""
SCOPES = "openid profile offline_access"
LEEWAY_S = 60
CONFIGURATION = "/.well-known/openid-configuration"
ANSWER_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Pass:
    """What a browser's visit to the issuer led to: the person, and what asks for them again (empty: nothing does)."""

    known: Known
    refresh: str = field(repr=False)


@dataclass(slots=True)
class Issuer:
    """The issuer, and who this server is there; `now` is real time."""

    url: str
    client_id: str
    secret: str = field(repr=False)
    staff_claim: str
    groups_claim: str
    timeout_s: int
    now: Callable[[], Instant]
    _said: Mapping[str, Any] | None = None

    def address(self, *, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send a browser. Raises `NotReady` where the issuer does not answer."""
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": back, "scope": SCOPES, "state": state,
            "nonce": nonce, "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self._endpoint('authorization_endpoint')}?{urlencode(asked)}"

    def redeem(self, code: str, *, back: str, nonce: str, verifier: str) -> Pass:
        """Return whom a code is for. Raises `BadInput` for what the issuer does not answer for, `NotReady`."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        answer = self._token(form)
        if answer is None:
            raise BadInput("sign-in: expected a code that the issuer answers for, it does not; begin again")
        claims = self._claims(answer, nonce)
        return Pass(self._known(claims), str(answer.get("refresh_token", "")))

    def again(self, refresh: str) -> str | None:
        """Ask for a person again: what asks the next time, None where the issuer no longer answers for them.

        Raises `NotReady` where it does not answer at all.
        """
        answer = self._token({"grant_type": "refresh_token", "refresh_token": refresh})
        return None if answer is None else str(answer.get("refresh_token", "")) or refresh

    def _claims(self, answer: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        keys = KeySet.import_key_set(self._get(self._endpoint("jwks_uri")))  # type: ignore[arg-type] # as it came
        try:
            token = jwt.decode(str(answer.get("id_token", "")), keys, algorithms=ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self._configuration()["issuer"]},
                "aud": {"essential": True, "value": self.client_id},
                "exp": {"essential": True}, "iat": {"essential": True},
            }  # fmt: skip
            asked = {"nonce": nonce, "client_id": self.client_id, "access_token": answer.get("access_token")}
            claims = CodeIDToken(token.claims, token.header, options, asked)
            claims.validate(self.now() // 1_000_000, LEEWAY_S)
        except (JoseError, ValueError) as error:
            raise BadInput(f"sign-in: expected an identity of this issuer for us, got another: {error}") from error
        if claims.get("nonce") != nonce:
            raise BadInput("sign-in: expected the answer to our own question, got another; begin again")
        told: Mapping[str, Any] = claims
        return told

    def _known(self, claims: Mapping[str, Any]) -> Known:
        try:
            staff = actor_id(str(claims.get(self.staff_claim, "")).strip())
        except BadValue as error:
            raise BadInput(f"sign-in: expected a staff number in {self.staff_claim}; {error}") from error
        if not staff:
            raise BadInput(f"sign-in: expected a staff number in the claim {self.staff_claim}, got none")
        groups = claims.get(self.groups_claim, [])
        named = [str(one) for one in groups][:GROUPS_MAX] if isinstance(groups, list) else [str(groups)]
        return Known(staff, str(claims.get("name", "") or staff)[:64], frozenset(named))

    def _token(self, form: Mapping[str, str]) -> Mapping[str, Any] | None:
        """Ask for tokens; None where the issuer says no (RFC 6749 5.2)."""
        client = httpx.BasicAuth(self.client_id, self.secret) if self.secret else httpx.USE_CLIENT_DEFAULT
        said = dict(form) if self.secret else {**form, "client_id": self.client_id}
        try:
            with self._asking() as web:
                answer = web.post(self._endpoint("token_endpoint"), data=said, auth=client)
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if answer.status_code in {400, 401, 403}:
            return None
        return self._read(answer)

    def _configuration(self) -> Mapping[str, Any]:
        if self._said is None:
            said = self._get(self.url.rstrip("/") + CONFIGURATION)
            if said.get("issuer") != self.url:
                raise NotReady(f"issuer: expected {self.url} to call itself so, got {said.get('issuer')!r:.80}")
            self._said = said
        return self._said

    def _endpoint(self, name: str) -> str:
        return str(self._configuration().get(name, ""))

    def _get(self, url: str) -> Mapping[str, Any]:
        try:
            with self._asking() as web:
                return self._read(web.get(url))
        except httpx.HTTPError as error:
            raise self._silent(error) from error

    def _asking(self) -> httpx.Client:
        return httpx.Client(timeout=self.timeout_s, follow_redirects=False)

    def _read(self, answer: httpx.Response) -> Mapping[str, Any]:
        try:
            said = answer.json() if answer.is_success and len(answer.content) <= ANSWER_MAX else None
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise NotReady(f"issuer: expected an answer of {self.url} in JSON, got {answer.status_code}")
        return said

    def _silent(self, error: Exception) -> NotReady:
        return NotReady(f"issuer: expected {self.url} to answer within {self.timeout_s} s, got: {str(error)[:120]}")
