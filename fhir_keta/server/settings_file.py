"""``fhir-keta.toml``: servers by name. It holds no secrets, only where they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fhir_keta.errors import UsageError

NAME = "fhir-keta.toml"
KINDS: Mapping[str, str] = {
    "user": "basic",
    "password-file": "basic",
    "password-env": "basic",
    "token-file": "bearer",
    "token-env": "bearer",
    "client-id": "smart",
    "client-key": "smart",
    "client-key-id": "smart",
    "scope": "smart",
    "token-endpoint": "smart",
    "certificate": "certificate",
    "certificate-key": "certificate",
}
"""Each setting of a kind of authentication, and of which."""
KEYS = ("url", "timeout", "ca", "header-file", *KINDS)
"""What may stand in a server's table."""
_SECRET = {"password": "password-file or password-env", "token": "token-file or token-env"}
_FLAG_ONLY = ("insecure", "ask-token")


@dataclass(frozen=True, slots=True)
class Source:
    """Settings from one place: ``values`` by key, ``pattern`` to name a key for a person, ``folder`` of its paths."""

    values: Mapping[str, Any] = field(repr=False)
    pattern: str
    folder: Path = Path()

    def named(self, key: str) -> str:
        """``key`` as it is written in this place."""
        written = key.upper().replace("-", "_") if self.pattern.startswith("FHIR_KETA_") else key
        return self.pattern.format(written)


def named_server(name: str, files: Sequence[Path]) -> Source:
    """The settings of the server ``name``, from the first of ``files`` that has it.

    Raises UsageError when none has, or for what is wrong in a file that is looked into.
    """
    known: list[str] = []
    for path in files:
        servers = _servers(path)
        if name in servers:
            return Source(_checked(servers[name], name, path), f"{{}} in [servers.{name}] of {path}", path.parent)
        known += servers
    from fhir_keta.validation.suggestions import suggestion

    where = " or ".join(map(str, files)) or NAME
    have = f" Servers there: {', '.join(dict.fromkeys(known))}." if known else ""
    given = repr(name) if not set(name) & set("@?") else "What is given as the server"  # not a password by mistake
    raise UsageError(
        f"{given} is neither a URL nor a server in {where}.{suggestion(name, tuple(known))}{have} "
        "Give a base URL such as http://localhost:8080/fhir."
    )


def _servers(path: Path) -> Mapping[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Make it readable, or move it away.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        place = str(error).rpartition("(")[2].rstrip(")")  # the rest may quote what stands there
        raise UsageError(f"{path} is not TOML ({place}). Correct it there.") from error
    _no_others(content, ("servers",), f"{path}")
    servers = content.get("servers", {})
    if not isinstance(servers, dict):
        raise UsageError(f"servers in {path} is not a table. Write a table [servers.NAME] for each server.")
    return servers


def _checked(table: object, name: str, path: Path) -> Mapping[str, Any]:
    where = f"[servers.{name}] of {path}"
    if not isinstance(table, dict):
        raise UsageError(f"servers.{name} in {path} is not a table. Write it as [servers.{name}].")
    _no_others(table, KEYS, where)
    for key, value in table.items():
        if key == "timeout":
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise UsageError(f"timeout in {where} is not a number of seconds above 0. Correct it.")
        elif not isinstance(value, str) or not value:
            raise UsageError(f"{key} in {where} is not a text in quotes. Correct it.")
    if "url" not in table:
        raise UsageError(f"url is missing in {where}. Give the base URL of the server.")
    return table


def _no_others(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key in known:
            continue
        if key in _SECRET:
            raise UsageError(f"A {key} does not belong in {where}. Say where it is with {_SECRET[key]}.")
        if key in _FLAG_ONLY:
            raise UsageError(f"{key} is no setting of {where}: it is decided anew each time. Give --{key}.")
        from fhir_keta.validation.suggestions import suggestion

        guess = suggestion(key, tuple(known)) or f" Known: {', '.join(known)}."
        raise UsageError(f"{key!r} in {where} is not known.{guess}")
