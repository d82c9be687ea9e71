"""The token endpoint of the tests refuses what SMART Backend Services does not allow: each rule broken on its own."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

from tests.servers.token_endpoint import ASSERTION_TYPE, TokenEndpoint

URL = "https://login.example/token"
NOW = 1_800_000_000  # the requests are made when the tests are collected, long before they are sent
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER = ec.generate_private_key(ec.SECP384R1())
Parts = dict[str, Any]


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def by_rsa(text: bytes, algorithm: HashAlgorithm | None = None) -> bytes:
    return RSA_KEY.sign(text, padding.PKCS1v15(), algorithm or SHA384())


def by_ec(text: bytes, key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def request(
    header: Parts | None = None,
    claims: Parts | None = None,
    form: Parts | None = None,
    sign: Callable[[bytes], bytes] = by_ec,
) -> bytes:
    """A right request but for what is given; None leaves a part out."""
    head = {"alg": "ES384", "kid": "ec", "typ": "JWT", **(header or {})}
    said = {"iss": "loader", "sub": "loader", "aud": URL, "exp": NOW + 240, "jti": "j-1", **(claims or {})}
    parts = [{name: value for name, value in part.items() if value is not None} for part in (head, said)]
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    fields = {
        "grant_type": "client_credentials",
        "scope": "system/*.*",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": f"{text}.{encoded(sign(text.encode()))}",
        **(form or {}),
    }
    return urlencode({name: value for name, value in fields.items() if value is not None}).encode()


@pytest.fixture
def endpoint() -> TokenEndpoint:
    made = TokenEndpoint("loader", {"rsa": RSA_KEY.public_key(), "ec": EC_KEY.public_key()})
    made.url = URL
    made.clock = lambda: NOW
    return made


def ask(endpoint: TokenEndpoint, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    return endpoint.answer({"content-type": "application/x-www-form-urlencoded"} | headers, body)


@pytest.mark.parametrize(("header", "sign"), [({}, by_ec), ({"alg": "RS384", "kid": "rsa"}, by_rsa)])
@pytest.mark.parametrize("scope", ["system/*.*", "system/*.cruds", "system/Patient.rs system/Observation.write"])
def test_what_is_right_gets_a_token(
    endpoint: TokenEndpoint, header: Parts, sign: Callable[[bytes], bytes], scope: str
) -> None:
    status, said = ask(endpoint, request(header, form={"scope": scope}, sign=sign))
    assert (status, said["token_type"], said["expires_in"], said["scope"]) == (200, "bearer", 300, scope)
    assert endpoint.accepts(f"Bearer {said['access_token']}")
    endpoint.expire()
    assert not endpoint.accepts(f"Bearer {said['access_token']}")


def test_a_jti_is_good_for_one_token(endpoint: TokenEndpoint) -> None:
    assert ask(endpoint, request())[0] == 200
    assert ask(endpoint, request())[1]["error_description"] == "jti is missing, or was seen before"
    assert ask(endpoint, request(claims={"jti": "j-2"}))[0] == 200


@pytest.mark.parametrize(
    ("body", "error", "why"),
    [
        (request({"alg": "RS256", "kid": "rsa"}, sign=lambda text: by_rsa(text, SHA256())), "client", "neither RS384"),
        (request({"alg": "none"}, sign=lambda text: b""), "client", "neither RS384"),
        (request({"alg": "RS384", "kid": "ec"}), "client", "signature is not by"),
        (request({"kid": None}), "client", "no key is registered"),
        (request({"kid": "another"}), "client", "no key is registered"),
        (request({"typ": None}), "client", "typ is not JWT"),
        (request(sign=lambda text: by_ec(text, OTHER)), "client", "signature is not by"),
        (request(sign=lambda text: EC_KEY.sign(text, ec.ECDSA(SHA384()))), "client", "signature is not by"),
        (request(claims={"iss": "other"}), "client", "iss and sub"),
        (request(claims={"sub": None}), "client", "iss and sub"),
        (request(claims={"aud": "https://fhir.example/fhir"}), "client", "aud is not"),
        (request(claims={"aud": f"{URL}/"}), "client", "aud is not"),
        (request(claims={"exp": None}), "client", "exp is not"),
        (request(claims={"exp": NOW - 1}), "client", "exp is not"),
        (request(claims={"exp": NOW + 100.5}), "client", "in whole seconds"),
        (request(claims={"exp": NOW + 3600}), "client", "five minutes"),
        (request(claims={"jti": None}), "client", "jti is missing"),
        (request(form={"client_assertion": "a.b"}), "client", "compact form"),
        (request(form={"client_assertion": "a.b.c"}), "client", "base64url"),
        (request(form={"client_assertion": None}), "client", "compact form"),
        (request(form={"client_assertion_type": "jwt-bearer"}), "request", "client_assertion_type"),
        (request(form={"grant_type": "password"}), "grant", "grant_type"),
        (request(form={"scope": None}), "scope", "not a system scope"),
        (request(form={"scope": "patient/*.*"}), "scope", "not a system scope"),
        (request(form={"scope": "system/*.dc"}), "scope", "not a system scope"),
        (request() + b"&scope=system/*.*", "request", "twice"),
    ],
)
def test_what_is_not_allowed_is_refused(endpoint: TokenEndpoint, body: bytes, error: str, why: str) -> None:
    status, said = ask(endpoint, body)
    names = {"client": "invalid_client", "request": "invalid_request", "scope": "invalid_scope"}
    assert (status, said["error"]) == (400, names.get(error, "unsupported_grant_type"))
    assert why in said["error_description"]
    assert endpoint.issued == []


def test_a_form_and_nothing_else(endpoint: TokenEndpoint) -> None:
    for headers in ({"content-type": "application/json"}, {"authorization": "Basic YTpi"}):
        assert ask(endpoint, request(), **headers)[1]["error"] == "invalid_request"
