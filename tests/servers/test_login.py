"""Logging in with fixed credentials and certificates, over real HTTP and HTTPS: what the server sees, and who else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhir_keta.errors import ServerError, UsageError
from fhir_keta.server.client import Refused
from fhir_keta.server.settings import resolve
from tests.servers.certificates import Authority, authority
from tests.servers.guarded import Asked, Guarded, Said, basic, header
from tests.servers.login import PATIENT, arrives, client, written


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    return authority(tmp_path)


@pytest.mark.parametrize(
    ("user", "password"), [("loader", "pass word"), ("jörg", "pässwörd €"), ("loader", "with:colon"), ("l", "")]
)
def test_basic(user: str, password: str, tmp_path: Path) -> None:
    settings = {"user": user}
    with Guarded(basic(user, password)) as server:
        with resolve(server.url, settings, environment={"password": password}).client() as opened:
            assert opened.update("Patient", "p", PATIENT).status == 201
        wrong = resolve(server.url, settings, environment={"password": "wrong"})
        with wrong.client() as opened, pytest.raises(ServerError, match="HTTP 401"):
            opened.read("Patient", "p")
    file = written(tmp_path / "password", f"{password}\n")
    with Guarded(basic(user, password)) as server:
        if password:
            arrives(server, user=user, password_file=file)
        else:
            with pytest.raises(UsageError, match="file of --password-file is empty"):
                arrives(server, user=user, password_file=file)


def test_a_bearer_token_is_read_again_when_it_is_no_longer_taken(tmp_path: Path) -> None:
    file = written(tmp_path / "token", "abc.DEF-1~+/==\r\n")
    good = {"Bearer abc.DEF-1~+/=="}
    allowed = Guarded(lambda headers: headers.get("authorization") in good)
    with allowed as server, client(server, token_file=file) as opened:
        assert opened.update("Patient", "p", PATIENT).status == 201
        good.clear()
        good.add("Bearer second")
        written(file, "second")
        assert opened.read("Patient", "p") is not None
        written(file, "third")
        good.clear()
        with pytest.raises(ServerError, match="HTTP 401"):
            opened.read("Patient", "p")


def test_extra_headers(tmp_path: Path) -> None:
    file = written(tmp_path / "headers", "# for the gateway\n\nX-Api-Key:  secret key \nX-Tenant: a\n")
    with Guarded(header("X-Api-Key", "secret key")) as server:
        arrives(server, header_file=file)
        assert {asked.headers["x-tenant"] for asked in server.asked} == {"a"}


def test_without_credentials_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by .netrc, which is for other programs: not to the server, and not to the token endpoint."""
    monkeypatch.setenv("NETRC", str(written(tmp_path / "netrc", "default login someone password netrc-secret\n")))
    monkeypatch.setattr("fhir_keta.server.transport._LOOPBACK", re.compile("no host"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Guarded() as server:
        arrives(server)
        assert not [asked for asked in server.asked if "authorization" in asked.headers]


# TLS


def test_the_certificate_of_the_server_is_checked(signer: Authority, tmp_path: Path) -> None:
    with Guarded(tls=signer.server()) as server:
        with pytest.raises(ServerError, match=r"certificate of 127\.0\.0\.1 is not accepted"):
            arrives(server)
        assert server.asked == []
        arrives(server, ca=signer.file)
    other = authority(tmp_path, "other")
    with Guarded(tls=signer.server()) as server, pytest.raises(ServerError, match="is not accepted"):
        arrives(server, ca=other.file)
    with Guarded(tls=signer.server(days=-1)) as server, pytest.raises(ServerError, match="expired"):
        arrives(server, ca=signer.file)


def test_insecure_accepts_it_whatever_the_environment_says(
    signer: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = authority(tmp_path, "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.file))
    monkeypatch.setattr("fhir_keta.server.transport._LOOPBACK", re.compile("no host"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Guarded(tls=signer.server()) as server:
        arrives(server, insecure=True)
        arrives(server, ca=signer.file)
        with pytest.raises(ServerError, match="is not accepted"):
            arrives(server)


def test_a_client_certificate(signer: Authority, tmp_path: Path) -> None:
    clients = authority(tmp_path, "clients")
    known, stranger = clients.issue("loader"), signer.issue("stranger")
    both = written(tmp_path / "both.pem", known.certificate.read_bytes() + known.key.read_bytes())
    with Guarded(tls=signer.server(clients=clients)) as server:
        arrives(server, ca=signer.file, certificate=known.certificate, certificate_key=known.key)
        arrives(server, ca=signer.file, certificate=both)
        asked = len(server.asked)
        for flags in ({}, {"certificate": stranger.certificate, "certificate_key": stranger.key}):
            with pytest.raises(ServerError, match="client certificate"):
                arrives(server, ca=signer.file, **flags)
        assert len(server.asked) == asked


# Credentials go to one server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_do_not_follow_a_redirect(status: int, tmp_path: Path) -> None:
    headers = written(tmp_path / "headers", "X-Api-Key: header-secret\n")
    token = written(tmp_path / "token", "token-secret")
    with Guarded() as elsewhere:

        def away(asked: Asked) -> Said:
            return Said(status, headers={"Location": f"{elsewhere.url}/Patient/p"})

        with Guarded(answer=away) as server, client(server, token_file=token, header_file=headers) as opened:
            for ask in (lambda: opened.read("Patient", "p"), lambda: opened.update("Patient", "p", PATIENT)):
                with pytest.raises((ServerError, Refused), match="redirects"):
                    ask()
        assert elsewhere.asked == []
