"""What R4 allows in a narrative (R4, Narrative; constraint txt-1): a well-formed div of formatting elements."""

from __future__ import annotations

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


class _NotAllowed(Exception):
    pass


def is_allowed_xhtml(text: str) -> bool:
    """Whether the narrative is one well-formed XHTML ``div`` with only allowed elements and attributes, not empty.

    HTML's named entities (``&nbsp;``) are not XML and not allowed (R4, Narrative, XHTML).
    """
    parser = expat.ParserCreate()
    depth = 0
    has_content = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, has_content
        if depth == 0 and (name != "div" or attributes.get("xmlns") != _NAMESPACE):
            raise _NotAllowed
        if name not in _ELEMENTS or not _ATTRIBUTES.issuperset(attributes):
            raise _NotAllowed
        has_content = has_content or name == "img"
        depth += 1

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def characters(data: str) -> None:
        nonlocal has_content
        has_content = has_content or bool(data.strip())

    def refuse(*_: object) -> None:
        raise _NotAllowed

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.ProcessingInstructionHandler = refuse
    try:
        parser.Parse(text, True)
    except (_NotAllowed, expat.ExpatError, ValueError):
        return False
    return has_content
