"""What R4 allows in a narrative (R4, Narrative; XHTML 1.0): formatting elements, each where it may stand, and links.

Which elements, attributes and places these are is what HL7's validator takes from HTML 4.0, chapters 7 to 11 and 15.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INLINE = _words("a b em i strong small big sub sup code tt dfn q var abbr acronym cite bdo kbd samp")
_OF_TEXT = _INLINE | _words("p h1 h2 h3 h4 h5 h6 pre address span caption dd dt")
_BLOCKS = _words("div pre table ul ol")
_NOT_IN_P = _words("div blockquote table ol ul p")
_EMPTY = _words("br img hr area")
_CHILDREN = {
    "table": _words("tbody tr caption thead tfoot col colgroup"),
    "tr": _words("td th"),
    **dict.fromkeys(("tbody", "thead", "tfoot"), _words("tr")),
    **dict.fromkeys(("ul", "ol"), _words("li")),
    "dl": _words("dd dt"),
    "map": _words("area"),
}
_PARENTS = {
    "tr": _words("table thead tfoot tbody"),
    **dict.fromkeys(("tbody", "thead", "tfoot", "caption", "colgroup"), _words("table")),
    "col": _words("colgroup table"),
    **dict.fromkeys(("th", "td"), _words("tr thead tfoot")),
    "li": _words("ul ol"),
    **dict.fromkeys(("dd", "dt"), _words("dl")),
}
_ELEMENTS = _OF_TEXT | _EMPTY | _CHILDREN.keys() | _PARENTS.keys() | _words("div blockquote")
_ATTRIBUTES = _words(
    "title style class id lang xml:lang xml:space dir accesskey tabindex span width align valign char charoff abbr axis"
    " headers scope rowspan colspan"
)
_ATTRIBUTES_OF = {
    "a": _words("href name charset type hreflang rel rev shape coords"),
    "img": _words("src alt border longdesc height usemap ismap"),
    **dict.fromkeys(("blockquote", "q"), _words("cite")),
    "map": _words("name"),
    "area": _words("shape coords href nohref alt"),
    "table": _words("summary border frame rules cellspacing cellpadding"),
    "pre": _words("space"),
    "td": _words("nowrap"),
}
_NAMESPACE = "http://www.w3.org/1999/xhtml"
_WHITE_SPACE = " \t\r\n"  # of XML: a no-break space is content
_PLAIN_TEXT = re.compile(r">[ \t\r\n]*[^ \t\r\n<&]")
_URL = re.compile(r"[^\W_]*(?:[\w;?:@&=+$.,/%\-~#\[\]!'()*|][^\W_]*)*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NO_LINKS = frozenset({"javascript:", "vbscript:", "urn:", "cid:"})
_MIME_TYPE = re.compile(r"\s*(?:[\w.+-]+/[\w.+-]+(?:\s*;\s*[\w.+-]+=[^;,]+)*)?\s*")


@dataclass(slots=True)
class Narrative:
    """A narrative as it was read: ``is_allowed`` its elements and attributes, ``is_in_place`` where they stand.

    ``anchors`` are the ids and names in it, ``links`` and ``images`` what it leads to and shows.
    """

    is_allowed: bool = True
    is_in_place: bool = True
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        allowed = _ATTRIBUTES | _ATTRIBUTES_OF.get(name, frozenset())
        if not self._open and (name != "div" or attributes.get("xmlns") != _NAMESPACE):
            self.is_allowed = False
        if name not in _ELEMENTS or any(each not in allowed and not each.startswith("xmlns") for each in attributes):
            self.is_allowed = False
        if attributes.get("xmlns", _NAMESPACE) != _NAMESPACE:
            self.is_allowed = False
        self.is_in_place = self.is_in_place and self._may_stand(name)
        self._open.append(name)
        if name == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif name == "img" and "src" in attributes:
            self.images.append(attributes["src"])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if name == "a" and "name" in attributes:
            self.names.append(attributes["name"])

    def _may_stand(self, name: str) -> bool:
        parent = self._open[-1] if self._open else ""
        if parent in _EMPTY or (parent in _CHILDREN and name not in _CHILDREN[parent]):
            return False
        if name in _PARENTS and parent not in _PARENTS[name]:
            return False
        if name in _BLOCKS and any(around in _OF_TEXT for around in self._open):
            return False
        return not (name in _NOT_IN_P and "p" in self._open) and not (name in _INLINE and name in self._open)

    def instruction(self, *_: str) -> None:
        if not self._open:
            self.is_allowed = False

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, data: str) -> None:
        parent = self._open[-1]
        if parent in _EMPTY or (parent in _CHILDREN and data.strip(_WHITE_SPACE)):
            self.is_in_place = False


@lru_cache(maxsize=8)  # several rules look at one narrative
def read_narrative(text: str) -> Narrative:
    """What a narrative is made of; one that is not well-formed XML is not allowed, whatever else is in it.

    HTML's named entities (``&nbsp;``) are not XML (R4, Narrative, XHTML).
    """
    found = Narrative()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.characters
    parser.ProcessingInstructionHandler = found.instruction
    if not _is_parsed(parser, text):
        return Narrative(is_allowed=False)
    return found


def is_allowed_xhtml(text: str) -> bool:
    """Whether the narrative is one well-formed XHTML ``div`` with only allowed elements and attributes."""
    return read_narrative(text).is_allowed


def is_url(text: str) -> bool:
    """Whether a link or image may have this for its URL."""
    if not text.startswith("data:"):
        return bool(text) and _URL.fullmatch(text) is not None
    kind, comma, data = text.removeprefix("data:").partition(",")
    mime_type, encoded, _ = kind.partition(";base64")
    if not comma or not data or "," in data or not _MIME_TYPE.fullmatch(mime_type):
        return False
    try:
        return not encoded or bool(base64.b64decode(data, validate=True))
    except ValueError:
        return False


def is_link(text: str) -> bool:
    """Whether a link may lead there: to what can be shown, and runs nothing."""
    scheme = _SCHEME.match(text)
    return is_url(text) and not (scheme and scheme[0].lower() in _NO_LINKS)


def has_content(text: str) -> bool:
    """Whether there is text or an image in the narrative; of what is no XML, ``is_allowed_xhtml`` has the finding."""
    if "<!" not in text and _PLAIN_TEXT.search(text):
        return True
    found = False

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal found
        found = found or name == "img"

    def characters(data: str) -> None:
        nonlocal found
        found = found or bool(data.strip(_WHITE_SPACE))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = characters
    return not _is_parsed(parser, text) or found


class _NotAllowed(Exception):
    pass


def _is_parsed(parser: expat.XMLParserType, text: str) -> bool:
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except (_NotAllowed, expat.ExpatError, ValueError):
        return False
    return True


def _refuse(*_: object) -> None:
    raise _NotAllowed
