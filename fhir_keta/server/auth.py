"""How a request says who sends it: with user and password, or with a bearer token. No secret shows in a ``repr``.

SMART Backend Services, which obtains its tokens itself, is in ``smart``; client certificates belong to the connection.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from requests.auth import AuthBase

from fhir_keta.errors import UsageError

if TYPE_CHECKING:
    from requests import PreparedRequest

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_NOT_SHOWN = "[not shown]"
_SHORTEST = 4  # what is shorter stands in too many words

Json = TypeVar("Json")


class Basic(AuthBase):
    """User and password on every request (RFC 7617, in UTF-8). Raises UsageError for what cannot be sent that way."""

    def __init__(self, user: str, password: str) -> None:
        if ":" in user:
            raise UsageError("A user name with a colon in it cannot be sent (RFC 7617). Ask for another name.")
        if not (user + password).isprintable():
            raise UsageError("The user name or the password has a control character in it. Check the file it is from.")
        self._password = password
        self._pair = b64encode(f"{user}:{password}".encode()).decode("ascii")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._pair}"
        return request

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return self._pair, self._password


class Bearer(AuthBase):
    """A bearer token on every request (RFC 6750). Raises UsageError for one that cannot be sent."""

    def __init__(self, token: str) -> None:
        self._token = checked_token(token)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return (self._token,)


class RereadBearer(Bearer):
    """A bearer token that something else keeps fresh: ``renew`` has ``read`` give it anew. Raises what that does."""

    def __init__(self, read: Callable[[], str]) -> None:
        super().__init__(read())
        self._read = read

    def renew(self) -> None:
        """Read the token again."""
        self._token = checked_token(self._read())


def checked_token(token: str) -> str:
    """``token`` if it can stand in an Authorization header. Raises UsageError, which does not quote it."""
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            "The bearer token has a character in it that no token has (RFC 6750): a space, a line break, a quote? "
            "Give the token alone, without the word Bearer."
        )
    return token


def is_protected(url: str) -> bool:
    """Whether nobody on the way can read what is sent to ``url``: TLS, or this very computer."""
    parts = urlsplit(url)
    try:
        return parts.scheme == "https" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def concealed(value: Json, secrets: Iterable[str]) -> Json:
    """A copy of text or parsed JSON without ``secrets`` in its values: some servers repeat what they refuse."""
    found = sorted((each for each in secrets if len(each) >= _SHORTEST), key=len, reverse=True)
    if not found:
        return value
    pattern = re.compile("|".join(map(re.escape, found)))

    def without(part: Any) -> Any:
        if isinstance(part, str):
            return pattern.sub(_NOT_SHOWN, part)
        if isinstance(part, dict):
            return {name: without(each) for name, each in part.items()}
        return [without(each) for each in part] if isinstance(part, list) else part

    copy: Json = without(value)
    return copy
