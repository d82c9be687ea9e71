"""How a server is reached: flags, environment and ``fhir-keta.toml`` meet here. Flags beat environment beat file.

Secrets are read from files, from the environment, or asked for. Messages name the setting, never its value.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_keta.errors import UsageError
from fhir_keta.server.header_file import read_headers
from fhir_keta.server.settings_file import KINDS, Source, named_server
from fhir_keta.server.transport import Certificate, Transport, checked_base

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from fhir_keta.server.client import Client
    from fhir_keta.server.retry import Retry

Ask = Callable[[str], str]

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All that is needed to reach a server; the parameters of ``Client``."""

    url: str
    auth: AuthBase | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    certificate: Certificate | None = None
    timeout: float = _SECONDS

    def client(self, retry: Retry | None = None) -> Client:
        """A client for the server; ``retry`` is for its requests for tokens, too."""
        from fhir_keta.server.client import Client

        auth: Any = self.auth
        if hasattr(auth, "retry"):
            auth.retry = retry
        return Client(
            self.url,
            timeout=self.timeout,
            retry=retry,
            auth=auth,
            headers=self.headers,
            verify=self.verify,
            certificate=self.certificate,
        )


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where settings stand, the strongest first; the values of the environment by their names; who can be asked."""

    places: Sequence[Source]
    variables: Mapping[str, str] = field(repr=False)
    ask: Ask | None

    def value(self, key: str) -> Any | None:
        return next((place.values[key] for place in self.places if key in place.values), None)

    def path(self, key: str) -> Path | None:
        """A file as its place names it: relative to the folder of a settings file."""
        place = next((place for place in self.places if key in place.values), None)
        return place.folder / Path(place.values[key]).expanduser() if place is not None else None

    def strongest(self, *keys: str) -> str | None:
        """The one of ``keys`` that is given in the strongest place."""
        return next((key for place in self.places for key in keys if key in place.values), None)

    def named(self, key: str) -> str:
        return next((place.named(key) for place in self.places if key in place.values), f"--{key}")


def resolve(
    server: str,
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, Any] | None = None,
    files: Sequence[Path] = (),
    variables: Mapping[str, str] = os.environ,
    ask: Ask | None = None,
) -> ServerSettings:
    """The settings for ``server``, a base URL or the name of one in ``files``, the first of which to have it counts.

    ``flags`` and ``environment`` hold settings by key (``settings_file.KEYS``, ``insecure``, ``ask-token``);
    ``environment`` may hold a ``password`` or ``token`` itself. ``variables`` are what ``password-env`` and
    ``token-env`` look into; ``ask`` asks a person for a secret. Raises UsageError.
    """
    places = [
        Source(_given(flags or {}), "--{}"),
        Source(_given(environment or {}), "FHIR_KETA_{}"),
    ]
    if "://" not in server:
        places.append(named_server(server, files))
        server = places[-1].values["url"]
    sources = _Sources(places, variables, ask)
    url, insecure = checked_base(server), bool(sources.value("insecure"))
    ca = _checked_ca(sources)
    if insecure and ca is not None:
        raise UsageError(f"--insecure accepts any certificate, {sources.named('ca')} only some. Give one of them.")
    kind = _kind(places)
    timeout = float(sources.value("timeout") or _SECONDS)
    headers = read_headers(_content(sources, "header-file")) if sources.value("header-file") is not None else {}
    verify: bool | str = not insecure if ca is None else ca
    from fhir_keta.server.auth import is_protected

    if (kind is not None or headers) and not (insecure or is_protected(url)):
        raise UsageError(
            f"{url} has no TLS: everyone on the way could read the credentials. Give an address with https."
        )
    return ServerSettings(
        url,
        _auth(kind, sources, url, verify, timeout),
        headers,
        verify,
        _checked_certificate(sources) if kind == "certificate" else None,
        timeout,
    )


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is really said: a flag that is off is not."""
    return {key: value for key, value in values.items() if value is not None and value is not False}


def _kind(places: Sequence[Source]) -> str | None:
    """The one kind of authentication that the strongest place which names any asks for."""
    for place in places:
        said: dict[str, str] = {}
        for key in place.values:
            if key in _KINDS:
                said.setdefault(_KINDS[key], key)
        if len(said) > 1:
            given = " and ".join(place.named(key) for key in said.values())
            raise UsageError(f"{given} are different kinds of authentication ({', '.join(said)}). Give one kind only.")
        if said:
            return next(iter(said))
    return None


_KINDS = {**KINDS, "password": "basic", "token": "bearer", "ask-token": "bearer"}


def _auth(kind: str | None, sources: _Sources, url: str, verify: bool | str, timeout: float) -> AuthBase | None:
    if kind == "basic":
        from fhir_keta.server.auth import Basic

        user = sources.value("user")
        if user is None:
            raise UsageError("There is a password but no user name. Give it with --user.")
        return Basic(user, _secret(sources, "password", f"Password of {user}"))
    if kind == "bearer":
        from fhir_keta.server.auth import Bearer, RereadBearer

        token = _secret(sources, "token", "Bearer token")
        of_file = sources.strongest("token", "token-file", "token-env", "ask-token") == "token-file"
        return RereadBearer(lambda: _text(sources, "token-file")) if of_file else Bearer(token)
    return _smart(sources, url, verify, timeout) if kind == "smart" else None


def _smart(sources: _Sources, url: str, verify: bool | str, timeout: float) -> AuthBase:
    from fhir_keta.server.auth import is_protected
    from fhir_keta.server.signing_key import read_signing_key
    from fhir_keta.server.smart import BackendServices, Registration

    client_id, endpoint = sources.value("client-id"), sources.value("token-endpoint")
    if client_id is None or sources.value("client-key") is None:
        raise UsageError("SMART Backend Services needs both: give --client-id and --client-key.")
    if endpoint is not None:
        endpoint = checked_base(endpoint)
        if not is_protected(endpoint):
            raise UsageError(f"{sources.named('token-endpoint')} has no TLS. Give an address with https.")
    key = read_signing_key(_content(sources, "client-key"), sources.value("client-key-id"))
    registration = Registration(client_id, key, sources.value("scope"), endpoint)
    return BackendServices(url, registration, lambda address: Transport(address, timeout=timeout, verify=verify))


def _secret(sources: _Sources, name: str, question: str) -> str:
    """The password or token, from the strongest place that says where it is."""
    for place in sources.places:
        said = [key for key in (name, f"{name}-file", f"{name}-env", f"ask-{name}") if key in place.values]
        if len(said) > 1:
            raise UsageError(f"{' and '.join(map(place.named, said))} say the same. Give one of them.")
        if not said:
            continue
        value = place.values[said[0]]
        if said[0] == f"{name}-file":
            return _text(sources, said[0])
        if said[0] == f"{name}-env":
            if not sources.variables.get(value):
                raise UsageError(
                    f"{place.named(said[0])} names a variable that is not set. Set it, or correct the name."
                )
            return sources.variables[value]
        if said[0] == name:
            return str(value)
        break
    if sources.ask is None:
        raise UsageError(f"There is no {name}, and nobody to ask. Give --{name}-file, or set FHIR_KETA_{name.upper()}.")
    return sources.ask(question)


def _content(sources: _Sources, key: str) -> bytes:
    path = sources.path(key)
    assert path is not None
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no path"
        raise UsageError(
            f"{sources.named(key)} names a file that cannot be read ({why}). Correct the path, or make it readable."
        ) from None  # the error itself quotes what was given, which may be the secret itself by mistake


def _text(sources: _Sources, key: str) -> str:
    """The one line that a file of a secret holds."""
    try:
        text = _content(sources, key).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"The file of {sources.named(key)} is not UTF-8. Save it as UTF-8.") from None
    if not text:
        raise UsageError(f"The file of {sources.named(key)} is empty. Put the secret in it.")
    return text


def _checked_ca(sources: _Sources) -> str | None:
    path = sources.path("ca")
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{sources.named('ca')} is no file of CA certificates in PEM. Correct the path.") from error
    return str(path)


def _checked_certificate(sources: _Sources) -> Certificate:
    """The client certificate, tried: what is wrong with it would else be found in the middle of a handshake."""
    certificate, key = sources.path("certificate"), sources.path("certificate-key")
    if certificate is None:
        raise UsageError(f"{sources.named('certificate-key')} is the key of no certificate. Give --certificate.")
    try:
        # an encrypted key would have OpenSSL ask on the terminal, in the middle of the run
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{sources.named('certificate')} and its key cannot be used. Give both in PEM, the key not encrypted: "
            "in one file, or the key with --certificate-key."
        ) from error
    return str(certificate) if key is None else (str(certificate), str(key))
