"""What R4 allows in a narrative (R4, Narrative; constraints txt-1, txt-2): a div of formatting elements, not empty."""

from __future__ import annotations

import re
from xml.parsers import expat


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address bdo"
    " kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map area u"
    " s del ins"
)
_ATTRIBUTES = _words(
    "title style class id lang xml:lang xml:space dir accesskey tabindex span width align valign char charoff abbr axis"
    " headers scope rowspan colspan summary border frame rules cellspacing cellpadding name href rel src alt"
    " longdesc height usemap ismap type shape coords nohref charset hreflang rev target cite datetime nowrap xmlns"
    " bgcolor compact start"
)
_NAMESPACE = "http://www.w3.org/1999/xhtml"
_WHITE_SPACE = " \t\r\n"  # of XML: a no-break space is content
_PLAIN_TEXT = re.compile(r">[ \t\r\n]*[^ \t\r\n<&]")


class _NotAllowed(Exception):
    pass


def is_allowed_xhtml(text: str) -> bool:
    """Whether the narrative is one well-formed XHTML ``div`` with only allowed elements and attributes.

    HTML's named entities (``&nbsp;``) are not XML and not allowed (R4, Narrative, XHTML).
    """
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth == 0 and (name != "div" or attributes.get("xmlns") != _NAMESPACE):
            raise _NotAllowed
        if name not in _ELEMENTS or not _ATTRIBUTES.issuperset(attributes):
            raise _NotAllowed
        depth += 1

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.ProcessingInstructionHandler = _refuse
    return _is_parsed(parser, text)


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


def _is_parsed(parser: expat.XMLParserType, text: str) -> bool:
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except (_NotAllowed, expat.ExpatError, ValueError):
        return False
    return True


def _refuse(*_: object) -> None:
    raise _NotAllowed
