"""SMART Backend Services over real HTTP and HTTPS: keys, scopes, renewal in the middle of a run, what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Barrier, Event, Lock, Thread
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, KeySet, RSAKey
from requests import PreparedRequest

from fhir_keta.cli.main import main
from fhir_keta.definitions.library import profiles
from fhir_keta.errors import ServerError
from fhir_keta.server.retry import Retry
from fhir_keta.server.settings import ServerSettings
from fhir_keta.server.signing_key import read_signing_key
from fhir_keta.server.smart import BackendServices, Registration
from fhir_keta.server.transport import Transport
from tests.servers.certificates import authority
from tests.servers.guarded import CONFIGURATION, TOKEN, Asked, Guarded, Said
from tests.servers.login import PATIENT, arrives, client, written
from tests.servers.token_endpoint import TokenEndpoint

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP384R1())


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def tokens() -> TokenEndpoint:
    return TokenEndpoint("loader", {"ec-1": EC_KEY.public_key(), "rsa-1": RSA_KEY.public_key()})


@pytest.fixture
def smart(tokens: TokenEndpoint) -> Iterator[Guarded]:
    with Guarded(tokens=tokens) as server:
        yield server


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return written(tmp_path / "key.pem", pem(EC_KEY))


def test_netrc_is_not_asked_when_there_are_credentials(
    smart: Guarded, key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", str(written(tmp_path / "netrc", "default login someone password netrc-secret\n")))
    monkeypatch.setattr("fhir_keta.server.transport._LOOPBACK", re.compile("no host"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    arrives(smart, client_id="loader", client_key=key_file, client_key_id="ec-1")
    said = {asked.headers.get("authorization", "nothing").split()[0] for asked in smart.asked}
    assert said == {"nothing", "Bearer"}
    assert {asked.path for asked in smart.asked if "authorization" not in asked.headers} == {CONFIGURATION, TOKEN}


def jwks(*keys: Mapping[str, Any]) -> str:
    return json.dumps({"keys": list(keys)})


EC_JWK = ECKey(EC_KEY, EC_KEY).as_dict(private=True)
RSA_JWK = RSAKey(RSA_KEY, RSA_KEY).as_dict(private=True)
EC_PUBLIC = ECKey(EC_KEY, EC_KEY).as_dict(private=False)


@pytest.mark.parametrize(
    ("content", "key_id", "kid"),
    [
        (pem(EC_KEY), "ec-1", "ec-1"),
        (pem(RSA_KEY), "rsa-1", "rsa-1"),
        (json.dumps({**EC_JWK, "kid": "ec-1"}), None, "ec-1"),
        (jwks({**RSA_JWK, "kid": "rsa-1", "alg": "RS384", "use": "sig"}), None, "rsa-1"),
        (jwks({**RSA_JWK, "kid": "rsa-1"}, {**EC_JWK, "kid": "ec-1"}), "ec-1", "ec-1"),
        (jwks({**EC_PUBLIC, "kid": "other"}, {**EC_JWK, "kid": "ec-1", "key_ops": ["sign"]}), None, "ec-1"),
        (jwks({**RSA_JWK, "kid": "rsa-1", "alg": "RS256"}, {**EC_JWK, "kid": "ec-1"}), None, "ec-1"),
    ],
)
def test_smart_with_each_kind_of_key(
    smart: Guarded, tokens: TokenEndpoint, tmp_path: Path, content: str | bytes, key_id: str | None, kid: str
) -> None:
    file = written(tmp_path / "key", content)
    arrives(smart, client_id="loader", client_key=file, client_key_id=key_id)
    assert (tokens.refused, len(tokens.issued)) == ([], 1)
    assert tokens.asked[0]["scope"] == "system/*.cruds"
    only = TokenEndpoint("loader", {kid: tokens.keys[kid]})
    with Guarded(tokens=only) as server:
        arrives(server, client_id="loader", client_key=file, client_key_id=key_id)


def test_a_key_without_an_id_goes_by_its_thumbprint(smart: Guarded, tokens: TokenEndpoint, key_file: Path) -> None:
    """RFC 7638: what registering a JWKS made by most libraries comes to."""
    tokens.keys = {KeySet([ECKey(EC_KEY, EC_KEY)]).keys[0].thumbprint(): EC_KEY.public_key()}
    arrives(smart, client_id="loader", client_key=key_file)


def test_the_scope_is_in_the_words_of_the_server(smart: Guarded, tokens: TokenEndpoint, key_file: Path) -> None:
    login: dict[str, Any] = {"client_id": "loader", "client_key": key_file, "client_key_id": "ec-1"}
    smart.configuration["capabilities"] = ["client-confidential-asymmetric"]
    arrives(smart, **login)
    arrives(smart, scope="system/Patient.cruds", **login)
    assert [form["scope"] for form in tokens.asked] == ["system/*.*", "system/Patient.cruds"]
    tokens.scopes = {"system/Patient.rs"}
    with pytest.raises(
        ServerError, match=r"invalid_scope: not granted.* another scope than system/\*\.\* with --scope"
    ):
        arrives(smart, **login)


def test_a_token_endpoint_that_is_named_is_not_looked_for(
    smart: Guarded, tokens: TokenEndpoint, key_file: Path
) -> None:
    arrives(smart, client_id="loader", client_key=key_file, client_key_id="ec-1", token_endpoint=tokens.url)
    assert CONFIGURATION not in {asked.path for asked in smart.asked}


def test_an_expired_token_is_renewed_in_the_middle_of_a_run(
    smart: Guarded, tokens: TokenEndpoint, key_file: Path
) -> None:
    with client(smart, client_id="loader", client_key=key_file, client_key_id="ec-1") as opened:
        for number in range(4):
            assert opened.update("Patient", f"p{number}", PATIENT.replace(b'"p"', b'"p%d"' % number)).status == 201
            if number % 2:
                tokens.expire()
    assert len(tokens.issued) == 2
    assert len({form["client_assertion"] for form in tokens.asked}) == 2
    assert [asked.path for asked in smart.asked].count(CONFIGURATION) == 1


def test_a_token_is_renewed_before_it_ends(smart: Guarded, tokens: TokenEndpoint, key_file: Path) -> None:
    """Of 300 seconds the last 30 are not used, of 8 the last 2; nobody is ever refused."""
    now = [0.0]
    registration = Registration("loader", read_signing_key(key_file.read_bytes(), "ec-1"))
    auth = BackendServices(smart.url, registration, lambda url: Transport(url, timeout=5), clock=lambda: now[0])
    counts = []
    with ServerSettings(smart.url, auth).client() as opened:
        for lifetime, moments in ((300, (0.0, 269.0, 270.0)), (8, (600.0, 605.0, 606.0))):
            tokens.lifetime = lifetime
            for moment in moments:
                now[0] = moment
                opened.read("Patient", "p")
                counts.append(len(tokens.issued))
    assert counts == [1, 1, 2, 3, 3, 4]
    assert not [
        asked for asked in smart.asked if asked.path == "/fhir/Patient/p" and "authorization" not in asked.headers
    ]


def test_many_threads_renew_once(smart: Guarded, tokens: TokenEndpoint, key_file: Path) -> None:
    with client(smart, client_id="loader", client_key=key_file, client_key_id="ec-1") as opened:
        assert opened.update("Patient", "p", PATIENT).status == 201
        together, found = Barrier(8), []

        def read() -> None:
            opened.read("Patient", "p")
            together.wait(30)
            found.append(opened.read("Patient", "p"))

        threads = [Thread(target=read) for _ in range(8)]
        tokens.expire()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(found), len(tokens.issued)) == (8, 2)
    assert None not in found


def test_a_token_that_another_thread_renewed_is_not_renewed_again(
    smart: Guarded, tokens: TokenEndpoint, key_file: Path
) -> None:
    """Also without the client's own care: what counts is the token that this thread was refused with."""
    registration = Registration("loader", read_signing_key(key_file.read_bytes(), "ec-1"))
    auth = BackendServices(smart.url, registration, lambda url: Transport(url, timeout=5))
    sent, renewed = Event(), Event()

    def other() -> None:
        auth(PreparedRequest.copy(request))
        sent.set()
        renewed.wait(30)
        auth.renew()

    request = PreparedRequest()
    request.prepare("GET", smart.url)
    auth(request)
    thread = Thread(target=other)
    thread.start()
    sent.wait(30)
    auth.renew()
    renewed.set()
    thread.join()
    assert len(tokens.issued) == 2
    auth.renew()
    assert len(tokens.issued) == 2  # nothing was refused since
    auth(request)
    auth.renew()
    assert len(tokens.issued) == 3


def test_a_token_endpoint_in_trouble_is_asked_again_with_another_assertion(
    tokens: TokenEndpoint, key_file: Path
) -> None:
    """A ``jti`` is good for one request: one that got lost may have been seen."""
    troubles = [Said(503, headers={"Retry-After": "1"}), Said(502), Said(429)]

    def answer(asked: Asked) -> Said | None:
        return troubles.pop() if asked.path == TOKEN and troubles else None

    waits: list[float] = []
    with Guarded(tokens=tokens, answer=answer) as server:
        retry = Retry(60, sleep=waits.append)
        with client(server, retry, client_id="loader", client_key=key_file, client_key_id="ec-1") as opened:
            assert opened.update("Patient", "p", PATIENT).status == 201
    assert (len(tokens.issued), tokens.refused, troubles) == (1, [], [])
    assert len(waits) >= 3


def test_a_request_is_not_lost_because_its_token_was(smart: Guarded, key_file: Path) -> None:
    """The write was not sent, so its outcome is known."""
    smart.configuration["token_endpoint"] = "http://127.0.0.1:9/token"
    said = r"No token for .*127\.0\.0\.1:9/token cannot be reached"
    login = client(smart, client_id="loader", client_key=key_file)
    with login as opened, pytest.raises(ServerError, match=said) as error:
        opened.update("Patient", "p", PATIENT)
    assert type(error.value) is ServerError
    assert not [asked for asked in smart.asked if asked.method == "PUT"]


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"token_endpoint": None}, "names no token endpoint .HTTP 200."),
        ({"token_endpoint": "http://login.example/token"}, "token endpoint without TLS"),
        ({"token_endpoint": "http://127.0.0.1.example/token"}, "token endpoint without TLS"),
        ({"grant_types_supported": ["authorization_code"]}, "has authorization_code, not client_credentials"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "not private_key_jwt"),
        ({"token_endpoint_auth_signing_alg_values_supported": ["RS384"]}, "has RS384, not ES384"),
    ],
)
def test_a_server_that_does_not_offer_it(
    smart: Guarded, key_file: Path, configuration: dict[str, Any], said: str
) -> None:
    smart.configuration |= configuration
    with pytest.raises(ServerError, match=said) as error:
        arrives(smart, client_id="loader", client_key=key_file, client_key_id="ec-1")
    assert "\n" not in str(error.value)
    assert not [asked for asked in smart.asked if asked.path == TOKEN]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Said(200, b'{"access_token": "abc"}'), "answered without a bearer token"),
        (Said(200, b'{"access_token": "abc", "token_type": "mac"}'), "answered without a bearer token"),
        (Said(200, b"<html>"), "answered without a bearer token"),
        (Said(200, b'{"access_token": "a b", "token_type": "Bearer"}'), "a token that cannot be sent"),
        (Said(500, b"[1]"), r"gives no token \(HTTP 500\)\. Check that client loader"),
        (Said(503), r"\(HTTP 503\)\. Try again later"),
        (Said(401, b'{"error": "invalid_client"}'), r"\(HTTP 401\): invalid_client\. Check .* ES384 key of id ec-1"),
        (Said(307, headers={"Location": "http://elsewhere.example/token"}), r"\(HTTP 307\)"),
    ],
)
def test_a_token_endpoint_that_gives_none(tokens: TokenEndpoint, key_file: Path, answer: Said, said: str) -> None:
    behind = Guarded(tokens=tokens, answer=lambda asked: answer if asked.path == TOKEN else None)
    with behind as server, pytest.raises(ServerError, match=said) as error:
        arrives(server, client_id="loader", client_key=key_file, client_key_id="ec-1")
    assert "\n" not in str(error.value)


def test_a_token_type_in_capitals_and_a_lifetime_in_quotes_are_understood(key_file: Path) -> None:
    answer = Said(200, b'{"access_token": "abc", "token_type": "Bearer", "expires_in": "300"}')
    tokens = TokenEndpoint("loader", {})
    with Guarded(tokens=tokens, answer=lambda asked: answer if asked.path == TOKEN else None) as server:
        server.allowed = lambda headers: headers.get("authorization") == "Bearer abc"
        arrives(server, client_id="loader", client_key=key_file)
        assert [asked.path for asked in server.asked].count(TOKEN) == 1


def test_the_certificate_of_the_token_endpoint_is_checked_too(
    tokens: TokenEndpoint, key_file: Path, tmp_path: Path
) -> None:
    signer = authority(tmp_path)
    login: dict[str, Any] = {"client_id": "loader", "client_key": key_file, "client_key_id": "ec-1"}
    with Guarded(tokens=tokens, tls=signer.server()) as server:
        arrives(server, ca=signer.file, **login)
        tokens.asked.clear()
        with pytest.raises(ServerError, match="is not accepted"):
            arrives(server, **login)
        assert tokens.asked == []


@pytest.mark.parametrize("workers", ["1", "4"])
def test_tokens_that_end_all_the_time_lose_nothing_and_write_nothing_twice(
    tokens: TokenEndpoint, key_file: Path, workers: str
) -> None:
    """After every tenth request all tokens are void, whatever was said of their lifetime.

    Not while a refused request is to come again with its new token: one that is void at once is of no use to anyone.
    """
    served, waiting, changing = [0], set(), Lock()

    def answer(asked: Asked) -> Said | None:
        if asked.path in (CONFIGURATION, TOKEN):
            return None
        request = (asked.method, asked.path, asked.query)
        with changing:
            served[0] += 1
            if served[0] >= 10 and not waiting:
                tokens.expire()
                served[0] = 0
            if tokens.accepts(asked.headers.get("authorization")):
                waiting.discard(request)
                return None
            waiting.add(request)
            return Said(401)

    with Guarded(tokens=tokens, answer=answer) as server:
        server.allowed = lambda headers: True
        login = ["--client-id", "loader", "--client-key", str(key_file), "--client-key-id", "ec-1"]
        result = CliRunner().invoke(main, ["upload", "--server", server.url, "--workers", workers, *login])
        assert result.exit_code == 0, result.output
        assert len(tokens.issued) > 5
        assert tokens.refused == []
        with client(server, client_id="loader", client_key=key_file, client_key_id="ec-1") as opened:
            served[0] = -100_000
            stored = {
                f"{kind}/{each['id']}": each["meta"]["versionId"]
                for kind in {each["resourceType"] for each in profiles()}
                for each in opened.search(kind, {})
            }
    assert stored == {f"{each['resourceType']}/{each['id']}": "1" for each in profiles()}
