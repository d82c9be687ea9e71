"""A token endpoint held to SMART Backend Services: takes an assertion apart by hand, gives a token or a reason.

Source: SMART App Launch 2.2, Client Authentication: Asymmetric; Backend Services; RFC 7515, RFC 7518 3.3 and 3.4.
It shares no code with what it checks: signatures are verified with ``cryptography`` alone.
"""

from __future__ import annotations

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# SMART 1: read, write or *; SMART 2: any of c, r, u, d and s, in that order
SYSTEM_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|(?=.)c?r?u?d?s?)")
PublicKey = RSAPublicKey | EllipticCurvePublicKey


class Refusal(Exception):
    """An OAuth error (RFC 6749, 5.2) and what to say with it."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error = error


class TokenEndpoint:
    """Tokens for the client ``client_id``, whose public keys are registered in ``keys`` by ``kid``.

    A token is good for ``lifetime`` seconds of ``clock``. ``asked`` are the forms that came, ``issued`` the tokens
    given. ``scopes``, when set, are the only ones it grants.
    """

    def __init__(self, client_id: str, keys: Mapping[str, PublicKey], *, lifetime: int = 300) -> None:
        self.url = ""
        self.client_id = client_id
        self.keys = dict(keys)
        self.lifetime = lifetime
        self.scopes: set[str] | None = None
        self.clock: Callable[[], float] = time.time
        self.asked: list[dict[str, str]] = []
        self.issued: list[str] = []
        self.refused: list[str] = []
        self._ends: dict[str, float] = {}
        self._jtis: set[str] = set()
        self._lock = Lock()

    def accepts(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries a token that is still good."""
        scheme, _, token = (authorization or "").partition(" ")
        return scheme == "Bearer" and self.clock() < self._ends.get(token, 0)

    def expire(self) -> None:
        """End all tokens now, whatever was said of their lifetime."""
        self._ends.clear()

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """HTTP status and JSON for a request; header names in lower case."""
        with self._lock:
            try:
                scope = self._checked(headers, body)
            except Refusal as refusal:
                self.refused.append(str(refusal))
                return 400, {"error": refusal.error, "error_description": str(refusal)}
            token = token_urlsafe(32)
            self.issued.append(token)
            self._ends[token] = self.clock() + self.lifetime
            return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime, "scope": scope}

    def _checked(self, headers: Mapping[str, str], body: bytes) -> str:
        if headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            raise Refusal("invalid_request", "not a form")
        if "authorization" in headers:
            raise Refusal("invalid_request", "two ways of saying who asks (RFC 6749, 2.3)")
        form = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        if any(len(values) > 1 for values in form.values()):
            raise Refusal("invalid_request", "a parameter twice (RFC 6749, 3.2)")
        said = {name: values[0] for name, values in form.items()}
        self.asked.append(said)
        if said.get("grant_type") != "client_credentials":
            raise Refusal("unsupported_grant_type", "grant_type is not client_credentials")
        if said.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refusal("invalid_request", "client_assertion_type is not jwt-bearer")
        self._authenticated(said.get("client_assertion", ""))
        scopes = said.get("scope", "").split(" ")
        if not all(SYSTEM_SCOPE.fullmatch(scope) for scope in scopes):
            raise Refusal("invalid_scope", "not a system scope")
        if self.scopes is not None and not set(scopes) <= self.scopes:
            raise Refusal("invalid_scope", "not granted to this client")
        return said["scope"]

    def _authenticated(self, assertion: str) -> None:
        parts = assertion.split(".")
        if len(parts) != 3:
            raise Refusal("invalid_client", "not a JWS in compact form")
        try:
            header, claims = (json.loads(_decoded(part)) for part in parts[:2])
            signature = _decoded(parts[2])
        except ValueError:
            raise Refusal("invalid_client", "not base64url of JSON") from None
        if header.get("alg") not in ("RS384", "ES384"):
            raise Refusal("invalid_client", "alg is neither RS384 nor ES384")
        if header.get("typ") != "JWT":
            raise Refusal("invalid_client", "typ is not JWT")
        key = self.keys.get(header.get("kid", ""))
        if key is None:
            raise Refusal("invalid_client", "no key is registered under kid")
        if not _signed(key, header["alg"], f"{parts[0]}.{parts[1]}".encode("ascii"), signature):
            raise Refusal("invalid_client", "the signature is not by the key of kid")
        if not claims.get("iss") == claims.get("sub") == self.client_id:
            raise Refusal("invalid_client", "iss and sub are not both the client id")
        if claims.get("aud") != self.url:
            raise Refusal("invalid_client", "aud is not the URL of this endpoint")
        now, exp = self.clock(), claims.get("exp")
        if type(exp) is not int or exp <= now:
            raise Refusal("invalid_client", "exp is not a time to come, in whole seconds")
        if exp > now + 300:
            raise Refusal("invalid_client", "exp is more than five minutes away")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti or jti in self._jtis:
            raise Refusal("invalid_client", "jti is missing, or was seen before")
        self._jtis.add(jti)


def _decoded(part: str) -> bytes:
    """base64url without padding (RFC 7515, 2)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", part):
        raise ValueError("not base64url")
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _signed(key: PublicKey, algorithm: str, text: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey) and algorithm == "RS384":
            key.verify(signature, text, PKCS1v15(), SHA384())
        elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1) and algorithm == "ES384":
            if len(signature) != 96:
                return False
            r, s = int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")
            key.verify(encode_dss_signature(r, s), text, ECDSA(SHA384()))
        else:
            return False
    except InvalidSignature:
        return False
    return True
