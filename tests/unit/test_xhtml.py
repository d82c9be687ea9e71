"""Narrative: the elements and attributes that R4 allows (Narrative, txt-1 and txt-2)."""

from __future__ import annotations

import pytest

from fhir_keta.validation.xhtml import has_content, is_allowed_xhtml

NAMESPACE = 'xmlns="http://www.w3.org/1999/xhtml"'


def div(content: str, attributes: str = NAMESPACE) -> str:
    return f"<div {attributes}>{content}</div>"


@pytest.mark.parametrize(
    "text",
    [
        div("x"),
        div("<p>a <b>b</b><br/></p>"),
        div('<img src="#picture" alt="x"/>'),
        div('<table class="grid"><tr><td colspan="2">x</td></tr></table>'),
        div("x", f'{NAMESPACE} xml:lang="en" lang="en"'),
        div("<a href='https://example.org'>x</a>"),
        div("<!-- aside -->x"),
        div("a &amp; b &#160; &lt;c&gt;"),
        div("<div><div>nested</div></div>"),
        div("<![CDATA[x]]>"),
        div("día ☀ 𝄞"),
    ],
)
def test_allowed(text: str) -> None:
    assert is_allowed_xhtml(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<div>x</div>",  # not XHTML's namespace
        '<div xmlns="http://www.w3.org/1999/html">x</div>',
        f"<p {NAMESPACE}>x</p>",
        div("<p>x"),
        div("x") + div("y"),
        div("x") + "y",
        div("<script>x</script>"),
        div("<form>x</form>"),
        div("<iframe src='x'>x</iframe>"),
        div("<P>x</P>"),
        div("<p onclick='x'>x</p>"),
        div("<p style=color>x</p>"),
        div("&nbsp;"),
        f'<!DOCTYPE div [<!ENTITY x "y">]>{div("&x;")}',
        f"{div('x')}<?php x ?>",
        div("<?x y?>x"),
        div("\x00"),
        div("\x01"),
        "<div " + NAMESPACE + ">\ud800</div>",
    ],
)
def test_not_allowed(text: str) -> None:
    assert not is_allowed_xhtml(text)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("x", True),
        ("<p> <b>x</b></p>", True),
        ('<img src="#picture" alt="x"/>', True),
        ("&#160;", True),  # no white space to XML, nor to HL7's validator
        ("\u3000", True),
        ("", False),
        (" \n\t", False),
        ("<p> <br/></p>", False),
        ("<!-- x>y -->", False),
        ("&#32;", False),
        ("<p>", True),  # not well-formed: the other rule's finding
    ],
)
def test_content(content: str, expected: bool) -> None:
    assert has_content(div(content)) is expected


def test_entities_are_not_expanded() -> None:
    """A billion laughs: refused at the declaration, before anything grows."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    assert not is_allowed_xhtml(f'<!DOCTYPE div [<!ENTITY l0 "ha">{entities}]>{div("&l9;")}')
