"""Text for XML, whatever it holds: ASCII with character references, so that the output's encoding does not matter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def content(lines: Iterable[str]) -> str:
    """The lines as the content of an element; what XML cannot hold is replaced."""
    return _ascii(escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", "\n".join(lines))))


def attribute(text: str) -> str:
    """The text as the value of an attribute, with its quotation marks, on one line."""
    return _ascii(quoteattr(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))))


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode()
