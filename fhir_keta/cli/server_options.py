"""The options that say which server, and how to log in there, for every command that has one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from fhir_keta.server.settings import ServerSettings

Command = TypeVar("Command", bound=Callable[..., Any])

_SECRETS = ("password", "token")  # as variables of the environment; there are no flags for them


def _option(key: str, metavar: str | None, help: str, **more: Any) -> Callable[[Command], Command]:
    variable = f"FHIR_KETA_{key.upper().replace('-', '_')}"
    return click.option(f"--{key}", metavar=metavar, help=help, envvar=variable, **more)


_FLAG: dict[str, Any] = {"is_flag": True, "default": None}
_OPTIONS = {
    "server": _option("server", "NAME|URL", "The FHIR server: base URL, or name in fhir-keta.toml.", required=True),
    "user": _option("user", "NAME", "Log in with this name and a password (HTTP basic)."),
    "password-file": _option("password-file", "FILE", "The password. Else FHIR_KETA_PASSWORD, or you are asked."),
    "token-file": _option("token-file", "FILE", "Log in with this bearer token. Also: FHIR_KETA_TOKEN."),
    "ask-token": _option("ask-token", None, "Log in with a bearer token you are asked for.", **_FLAG),
    "client-id": _option("client-id", "ID", "Log in as this client (SMART Backend Services)."),
    "client-key": _option("client-key", "FILE", "The private key of the client: PEM, JWK or JWKS."),
    "client-key-id": _option("client-key-id", "ID", "The id of that key (kid), where the file does not say."),
    "scope": _option("scope", "SCOPE", "What to ask for, such as 'system/*.cruds'."),
    "token-endpoint": _option("token-endpoint", "URL", "Where tokens are had, if the server does not say."),
    "certificate": _option("certificate", "FILE", "Log in with this client certificate (mutual TLS, PEM)."),
    "certificate-key": _option("certificate-key", "FILE", "The private key of the certificate, if in another file."),
    "header-file": _option("header-file", "FILE", "Send these headers too: lines 'Name: value'."),
    "ca": _option("ca", "FILE", "Trust servers whose certificates these CAs signed (PEM), no others."),
    "insecure": _option("insecure", None, "Do not check the certificate of the server.", **_FLAG),
    "timeout": _option(
        "timeout",
        "SECONDS",
        "How long to wait for an answer.  [default: 60]",
        type=click.FloatRange(min=0, min_open=True),
    ),
}


def server_options(command: Command) -> Command:
    """Give a command ``--server`` and the options for logging in; ``server_settings`` makes sense of them."""
    for option in reversed(_OPTIONS.values()):
        command = option(command)
    return command


def server_settings(context: click.Context) -> ServerSettings:
    """What the server options of this call, the environment and fhir-keta.toml say together.

    Asks for a secret that is missing, on a terminal, and warns when certificates are not checked. Raises UsageError.
    """
    from fhir_keta.server.settings import resolve
    from fhir_keta.server.settings_file import NAME

    flags: dict[str, Any] = {}
    environment = {name: os.environ[f"FHIR_KETA_{name.upper()}"] for name in _SECRETS if _is_set(name)}
    for key in _OPTIONS:
        name = key.replace("-", "_")
        by_environment = context.get_parameter_source(name) is click.core.ParameterSource.ENVIRONMENT
        (environment if by_environment else flags)[key] = context.params[name]
    settings = resolve(
        context.params["server"],
        flags,
        environment=environment,
        files=(Path(NAME), Path(click.get_app_dir("fhir-keta")) / NAME),
        ask=_asked if _somebody_is_there() else None,
    )
    if settings.verify is False:
        _warn_of_no_check(settings.url)
    return settings


def _is_set(name: str) -> bool:
    return bool(os.environ.get(f"FHIR_KETA_{name.upper()}"))


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _asked(question: str) -> str:
    answer: str = click.prompt(question, hide_input=True, err=True)
    return answer


def _warn_of_no_check(url: str) -> None:
    what, remedy = f"the certificate of {url} is not checked", "Name its CA with --ca instead."
    if not url.startswith("https:"):
        what, remedy = f"{url} has no TLS", "Give an address with https instead."
    click.echo(
        f"Warning: {what} (--insecure). Anyone on the way can read and change everything, credentials too. {remedy}",
        err=True,
    )
