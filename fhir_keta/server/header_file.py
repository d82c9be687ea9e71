"""Headers that a gateway wants on each request, from a file of lines ``Name: value``."""

from __future__ import annotations

import re

from fhir_keta.errors import UsageError

_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([ -~]*?)[ \t]*")  # RFC 9110, 5.5, in ASCII
_OURS = re.compile("accept|cache-control|connection|content-(length|type)|host|if-.*|prefer|transfer-encoding")
_CREDENTIALS = frozenset(("authorization", "proxy-authorization"))


def read_headers(content: bytes) -> dict[str, str]:
    """The headers by name; empty lines and lines that start with # are left out.

    Raises UsageError, which names the line and quotes no value.
    """
    headers: dict[str, str] = {}
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise UsageError(f"Line {number} of the header file is not a header. Write Name: value, in ASCII.")
        name, value = found.groups()
        if name.lower() in _CREDENTIALS:
            raise UsageError(
                f"Line {number} of the header file is {name}, which has options of its own. "
                "Give --user, --token-file or --client-id instead."
            )
        if _OURS.fullmatch(name.lower()):
            raise UsageError(f"Line {number} of the header file is {name}, which fhir-keta sets itself. Leave it out.")
        if name.lower() in map(str.lower, headers):
            raise UsageError(f"Line {number} of the header file says {name} again. Leave one of them out.")
        headers[name] = value
    return headers
