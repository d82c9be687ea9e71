"""Flags, environment and fhir-keta.toml: which of them counts, and what is refused. No message quotes a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OctKey
from requests import PreparedRequest

from fhir_keta.errors import UsageError
from fhir_keta.server.auth import Basic, concealed, is_protected
from fhir_keta.server.header_file import read_headers
from fhir_keta.server.settings import ServerSettings, resolve
from fhir_keta.server.signing_key import read_signing_key
from fhir_keta.server.smart import BackendServices
from tests.servers.certificates import authority

SECRET = "correct-horse-battery"
URL = "https://fhir.example/r4"


def sent(settings: ServerSettings) -> str | None:
    """The Authorization header of a request."""
    request = PreparedRequest()
    request.prepare("GET", settings.url, auth=settings.auth)
    said: str | None = request.headers.get("Authorization")
    return said


def refused(*arguments: Any, **more: Any) -> str:
    """The message of the refusal: one line, without the secret."""
    with pytest.raises(UsageError) as error:
        resolve(*arguments, **more)
    message = str(error.value)
    assert SECRET not in message
    assert "\n" not in message
    assert message.endswith((".", "?"))
    return message


def toml(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "fhir-keta.toml"
    file.write_text(text)
    return file


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(SECRET)
    return file


# Which server


def test_a_url_needs_no_file() -> None:
    assert resolve(f"{URL}/") == ServerSettings(URL)


def test_a_name_is_looked_up_in_the_first_file_that_has_it(tmp_path: Path) -> None:
    here = toml(tmp_path / "here", '[servers.test]\nurl = "http://localhost:8080/fhir"\n')
    home = toml(tmp_path / "home", f'[servers.test]\nurl = "{URL}"\n[servers.clinic]\nurl = "{URL}/"\ntimeout = 90\n')
    files = [tmp_path / "fhir-keta.toml", here, home]
    assert resolve("test", files=files).url == "http://localhost:8080/fhir"
    assert resolve("clinic", files=files) == ServerSettings(URL, timeout=90.0)
    assert resolve("clinic", {"timeout": 5.0}, files=files).timeout == 5.0
    assert resolve("clinic", environment={"timeout": 7.0}, files=files).timeout == 7.0
    said = refused("clinc", files=files)
    assert f"neither a URL nor a server in {files[0]} or {here} or {home}" in said
    assert "Did you mean 'clinic'?" in said
    assert "Servers there: test, clinic." in said


@pytest.mark.parametrize("server", [f"me:{SECRET}@fhir.example", f"fhir.example?token={SECRET}"])
def test_what_may_be_a_secret_by_mistake_is_not_quoted(server: str) -> None:
    assert "What is given as the server is neither a URL nor a server" in refused(server)
    assert "not a URL" in refused(f"://{server}") or "query" in refused(f"https://{server}")


def test_a_broken_file_that_is_not_looked_into_does_not_matter(tmp_path: Path) -> None:
    good = toml(tmp_path / "good", f'[servers.a]\nurl = "{URL}"\n')
    broken = toml(tmp_path / "broken", "= = =")
    assert resolve("a", files=[good, broken]).url == URL
    assert "is not TOML (at line 1, column 1)" in refused("a", files=[broken, good])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[servers.a]\nurl = "{URL}"\npasword-file = "x"', "'pasword-file' in .* Did you mean 'password-file'"),
        (f'[servers.a]\nurl = "{URL}"\nkey = "x"', "'key' in .* is not known. Known: url, timeout, ca"),
        (f'[server.a]\nurl = "{URL}"', "'server' in .* Did you mean 'servers'"),
        (
            f'[servers.a]\nurl = "{URL}"\npassword = "{SECRET}"',
            "password does not belong in .*password-file or password-",
        ),
        (f'[servers.a]\nurl = "{URL}"\ntoken = "{SECRET}"', "token does not belong in .*token-file or token-env"),
        (f'[servers.a]\nurl = "{URL}"\ninsecure = true', "insecure is no setting of .* Give --insecure"),
        (f'[servers.a]\nurl = "{URL}"\ntimeout = "{SECRET}"', "timeout in .* is not a number of seconds above 0"),
        (f'[servers.a]\nurl = "{URL}"\ntimeout = 0', "timeout in .* is not a number of seconds above 0"),
        (f'[servers.a]\nurl = "{URL}"\ntimeout = true', "timeout in .* is not a number of seconds above 0"),
        (f'[servers.a]\nurl = "{URL}"\nuser = ["{SECRET}"]', "user in .* is not a text in quotes"),
        ('[servers.a]\nuser = "x"', r"url is missing in \[servers.a\]"),
        ('servers = "a"', "servers in .* is not a table"),
        ('[servers]\na = "https://fhir.example"', "servers.a in .* is not a table"),
        (
            f'[servers.a]\nurl = "{URL}"\nuser = "{SECRET}',
            r"is not TOML \(at line 3, column \d+\)|\(at end of document\)",
        ),
        (f'[servers.a]\nurl = "https://x:{SECRET}@fhir.example/r4"', "Credentials do not belong in the URL"),
        (f'[servers.a]\nurl = "https://x:{SECRET}@fhir.example:99999/r4"', "is not a URL"),
        (f'[servers.a]\nurl = "{URL}?token={SECRET}"', "query or fragment"),
    ],
)
def test_what_is_wrong_in_a_file(tmp_path: Path, text: str, said: str) -> None:
    import re

    assert re.search(said, refused("a", files=[toml(tmp_path, text)]))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "fhir-keta.toml").mkdir()
    assert "cannot be read" in refused("a", files=[tmp_path / "fhir-keta.toml"])
    (tmp_path / "latin").write_bytes(b"# \xe4")
    assert "is not UTF-8" in refused("a", files=[tmp_path / "latin"])


def test_paths_in_a_file_start_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = toml(tmp_path / "conf", f'[servers.a]\nurl = "{URL}"\ntoken-file = "secrets/token"\n')
    (tmp_path / "conf" / "secrets").mkdir()
    (tmp_path / "conf" / "secrets" / "token").write_text("from-conf")
    assert sent(resolve("a", files=[file])) == "Bearer from-conf"
    monkeypatch.setenv("HOME", str(tmp_path / "conf"))
    file.write_text(f'[servers.a]\nurl = "{URL}"\ntoken-file = "~/secrets/token"\n')
    assert sent(resolve("a", files=[file])) == "Bearer from-conf"


# Flags beat environment beat file


def test_the_strongest_place_that_names_a_kind_decides(tmp_path: Path, token_file: Path) -> None:
    file = toml(tmp_path, f'[servers.a]\nurl = "{URL}"\nuser = "filed"\npassword-env = "CLINIC"\n')
    variables = {"CLINIC": "from-variable"}

    def said(flags: Mapping[str, Any], environment: Mapping[str, Any]) -> str | None:
        return sent(resolve("a", flags, environment=environment, files=[file], variables=variables))

    basic = {
        name: sent(ServerSettings(URL, Basic(*name.split()))) for name in ("filed from-variable", "filed x", "f x")
    }
    assert said({}, {}) == basic["filed from-variable"]
    assert said({}, {"password": "x"}) == basic["filed x"]
    assert said({"user": "f"}, {"password": "x"}) == basic["f x"]
    assert said({}, {"token": "t"}) == "Bearer t"
    assert said({"user": "f"}, {"token": "t", "password": "x"}) == basic["f x"]
    assert said({"token-file": token_file}, {"password": "x"}) == f"Bearer {SECRET}"
    assert said({"token-file": token_file}, {"token": "t"}) == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("flags", "environment", "said"),
    [
        ({"user": "u", "token-file": "f"}, {}, "--user and --token-file are different kinds of .*basic, bearer"),
        ({"user": "u", "certificate": "f"}, {}, "--user and --certificate are different kinds"),
        ({"client-id": "c", "ask-token": True}, {}, "--client-id and --ask-token are different kinds .*smart, bearer"),
        ({}, {"password": SECRET, "token": SECRET}, "FHIR_KETA_PASSWORD and FHIR_KETA_TOKEN are different kinds"),
        ({}, {"token": SECRET, "token-file": "f"}, "FHIR_KETA_TOKEN and FHIR_KETA_TOKEN_FILE say the same"),
        ({"token-file": "f", "ask-token": True}, {}, "--token-file and --ask-token say the same"),
        ({}, {"password": SECRET}, "a password but no user name. Give it with --user"),
        ({"user": "u"}, {}, "no password, and nobody to ask. Give --password-file, or set FHIR_KETA_PASSWORD"),
        ({"ask-token": True}, {}, "no token, and nobody to ask"),
        ({"user": "a:b"}, {"password": SECRET}, "colon"),
        ({"user": "u"}, {"password": f"{SECRET}\x07"}, "control character"),
        ({}, {"token": f"Bearer {SECRET}"}, "without the word Bearer"),
        ({}, {"token": f"{SECRET}\r\nX-Evil: 1"}, "a character in it that no token has"),
        ({"client-id": "c"}, {}, "needs both: give --client-id and --client-key"),
        ({"client-key": "c"}, {}, "needs both: give --client-id and --client-key"),
        ({"certificate-key": "c"}, {}, "--certificate-key is the key of no certificate"),
        ({"certificate": f"/none/{SECRET}"}, {}, "--certificate and its key cannot be used"),
        ({"ca": f"/none/{SECRET}"}, {}, "--ca is no file of CA certificates"),
        ({"ca": "f", "insecure": True}, {}, "--ca"),
        ({"token-file": SECRET}, {}, r"--token-file names a file that cannot be read \(No such file"),
        ({"token-file": "x" * 5000}, {}, "--token-file names a file that cannot be read"),
        ({"token-file": "x\0"}, {}, "--token-file names a file that cannot be read"),
        ({"header-file": SECRET}, {}, "--header-file names a file that cannot be read"),
        ({"client-id": "c", "client-key": SECRET}, {}, "--client-key names a file that cannot be read"),
        ({"client-id": "c", "client-key": __file__, "token-endpoint": "http://a.example/t"}, {}, "has no TLS"),
    ],
)
def test_what_does_not_go_together(flags: dict[str, Any], environment: dict[str, Any], said: str) -> None:
    import re

    message = refused(URL, flags, environment=environment)
    assert re.search(said, message), message


def test_two_kinds_in_one_table(tmp_path: Path) -> None:
    file = toml(tmp_path, f'[servers.a]\nurl = "{URL}"\nuser = "u"\ntoken-env = "T"\n')
    assert f"user in [servers.a] of {file} and token-env in [servers.a]" in refused("a", files=[file])


def test_a_variable_that_is_not_set_is_not_quoted(tmp_path: Path) -> None:
    """Someone may have written the secret itself where its variable's name belongs."""
    file = toml(tmp_path, f'[servers.a]\nurl = "{URL}"\ntoken-env = "{SECRET}"\n')
    assert "token-env in [servers.a]" in refused("a", files=[file], variables={})
    assert sent(resolve("a", files=[file], variables={SECRET: "found"})) == "Bearer found"


def test_a_secret_is_asked_for_where_someone_is_there() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return SECRET

    assert sent(resolve(URL, {"ask-token": True}, ask=ask)) == f"Bearer {SECRET}"
    assert sent(resolve(URL, {"user": "u"}, ask=ask)) == sent(ServerSettings(URL, Basic("u", SECRET)))
    assert asked == ["Bearer token", "Password of u"]


def test_nobody_is_asked_again_in_the_middle_of_a_run(token_file: Path) -> None:
    """A token of a file may be fresh there, one that was typed or is in the environment cannot be."""
    of_file = resolve(URL, {"token-file": token_file}).auth
    others = [resolve(URL, {"ask-token": True}, ask=lambda _: SECRET), resolve(URL, environment={"token": SECRET})]
    assert hasattr(of_file, "renew")
    assert not [each for each in others if hasattr(each.auth, "renew")]
    both = resolve(URL, {"token-file": token_file}, environment={"token": "t", "ask-token": False})
    assert (sent(both), hasattr(both.auth, "renew")) == (f"Bearer {SECRET}", True)
    weaker = resolve(URL, {"ask-token": True}, environment={"token-file": token_file}, ask=lambda _: "typed")
    assert (sent(weaker), hasattr(weaker.auth, "renew")) == ("Bearer typed", False)


def test_a_flag_that_is_off_says_nothing() -> None:
    assert resolve(URL, {"ask-token": False, "insecure": False}) == ServerSettings(URL)


def test_credentials_want_tls(tmp_path: Path, token_file: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text(f"X-Api-Key: {SECRET}")
    for flags in ({"token-file": token_file}, {"header-file": headers}):
        assert "has no TLS: everyone on the way" in refused("http://fhir.example/r4", flags)
        resolve("http://fhir.example/r4", {**flags, "insecure": True})
        for url in ("http://localhost:8080/fhir", "http://127.0.0.1/fhir", "http://[::1]:8080/fhir", URL):
            resolve(url, flags)
    resolve("http://fhir.example/r4")


@pytest.mark.parametrize(
    ("url", "protected"),
    [
        ("http://127.0.0.2:80/", True),
        ("http://LOCALHOST/", True),
        ("http://127.0.0.1.example/", False),
        ("http://localhost.example/", False),
        ("http://10.0.0.1/", False),
        ("ftp://fhir.example/", False),
    ],
)
def test_who_could_read_on_the_way(url: str, protected: bool) -> None:
    assert is_protected(url) is protected


def test_no_repr_shows_a_secret(tmp_path: Path, token_file: Path) -> None:
    key = ECKey.generate_key("P-384", auto_kid=True)
    file, headers = tmp_path / "key.json", tmp_path / "headers"
    file.write_text(__import__("json").dumps(key.as_dict(private=True)))
    headers.write_text(f"X-Api-Key: {SECRET}")
    all_settings = [
        resolve(URL, {"user": "u"}, environment={"password": SECRET}),
        resolve(URL, {"token-file": token_file, "header-file": headers}),
        resolve(URL, {"client-id": "c", "client-key": file}),
    ]
    assert isinstance(all_settings[2].auth, BackendServices)
    shown = [f"{each!r} {each} {each.auth!r} {each.client()!r}" for each in all_settings]
    assert not [text for text in shown if SECRET in text or str(key["d"]) in text]
    assert str(key["d"]) not in repr(read_signing_key(file.read_bytes()))


# Files


def test_headers() -> None:
    content = b"# comment\r\n\r\nX-Api-Key:\t a: b \r\nCookie: c=1\nX-Empty:\n"
    assert read_headers(content) == {"X-Api-Key": "a: b", "Cookie": "c=1", "X-Empty": ""}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (SECRET, "Line 2 .* is not a header"),
        (f"X Y: {SECRET}", "is not a header"),
        (f"X-Y: {SECRET}ä", "is not a header"),
        (f"X-Y: {SECRET}\x01", "is not a header"),
        (f" X-Y: {SECRET}", "is not a header"),
        (f"authorization: {SECRET}", "authorization, which has options of its own"),
        (f"Proxy-Authorization: {SECRET}", "which has options of its own"),
        (f"If-Match: {SECRET}", "If-Match, which fhir-keta sets itself"),
        (f"HOST: {SECRET}", "HOST, which fhir-keta sets itself"),
        (f"x-first: {SECRET}", "says x-first again"),
    ],
)
def test_headers_that_are_none(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        read_headers(f"X-First: 1\n{line}\n".encode())
    assert SECRET not in str(error.value)


def pem(key: Any, password: str | None = None) -> bytes:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    content: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return content


P384 = ec.generate_private_key(ec.SECP384R1())
JWK = ECKey(P384, P384).as_dict(private=True)
PUBLIC = ECKey(P384, P384).as_dict(private=False)


def json_of(*keys: Mapping[str, Any]) -> bytes:
    import json

    return json.dumps({"keys": list(keys)}).encode()


@pytest.mark.parametrize(
    ("content", "key_id", "said"),
    [
        (pem(P384, "x"), None, "is encrypted"),
        (pem(rsa.generate_private_key(65537, 1024)), None, "of a kind that SMART does not sign with"),
        (pem(ec.generate_private_key(ec.SECP256R1())), None, "of a kind that SMART does not sign with"),
        (pem(ed25519.Ed25519PrivateKey.generate()), None, "of a kind that SMART does not sign with"),
        (pem(P384)[:100], None, "cannot be read as a private key"),
        (b"", None, "cannot be read as a private key"),
        (SECRET.encode(), None, "cannot be read as a private key"),
        (b'{"keys": [', None, "neither PEM nor a JWK"),
        (b'{"keys": 1}', None, "neither PEM nor a JWK"),
        (b'{"keys": []}', None, "holds no private key"),
        (json_of(PUBLIC), None, "holds no private key"),
        (json_of({**JWK, "use": "enc"}), None, "holds no private key"),
        (json_of({**JWK, "key_ops": ["verify"]}), None, "holds no private key"),
        (json_of({**JWK, "alg": "ES256"}), None, "of a kind that SMART does not sign with"),
        (json_of({"kty": "EC", "crv": "P-384", "d": SECRET}), None, "is damaged, or no whole JWK"),
        (json_of({"kty": "EC", "crv": "P-384", "d": SECRET, "x": SECRET, "y": SECRET}), None, "is damaged"),
        (json_of({"kty": "RSA", "d": SECRET, "n": "AQ", "e": "AQAB"}), None, "is damaged|does not sign with"),
        (json_of(OctKey.generate_key(256).as_dict(private=True) | {"d": "x"}), None, "does not sign with"),
        (json_of({**JWK, "kid": "a"}, {**JWK, "kid": "b"}), None, "several keys that could sign: a, b"),
        (json_of({**JWK, "kid": "a"}), "b", "No private key in the JWKS has the id"),
    ],
)
def test_keys_that_cannot_sign(content: bytes, key_id: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        read_signing_key(content, key_id)
    assert SECRET not in str(error.value)
    assert JWK["d"] not in str(error.value)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "joserfc", None)
    with pytest.raises(UsageError, match="with its extra smart"):
        read_signing_key(pem(P384))


def test_client_certificates_are_tried_at_once(tmp_path: Path) -> None:
    signer = authority(tmp_path)
    one, other = signer.issue("one"), signer.issue("other")
    flags = {"certificate": one.certificate, "certificate-key": one.key}
    assert resolve(URL, flags).certificate == (str(one.certificate), str(one.key))
    said = "--certificate and its key cannot be used"
    assert said in refused(URL, {**flags, "certificate-key": other.key})
    assert said in refused(URL, {"certificate": one.certificate})
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_bytes(pem(ec.generate_private_key(ec.SECP256R1()), SECRET))
    assert said in refused(URL, {**flags, "certificate-key": encrypted})
    one.key.write_bytes(pem(P384))
    assert said in refused(URL, flags)


def test_what_a_server_repeats_is_concealed() -> None:
    outcome = {"issue": [{"diagnostics": f"Bearer {SECRET} is no token"}, {"severity": "error", "n": 1, "x": None}]}
    assert concealed(outcome, ["", SECRET[:5], SECRET, "err"]) == {
        "issue": [{"diagnostics": "Bearer [not shown] is no token"}, {"severity": "error", "n": 1, "x": None}]
    }
    assert concealed(f"a{SECRET}b", (SECRET,)) == "a[not shown]b"
    assert concealed("text", ()) == "text"
