"""Narrative: the elements and attributes that R4 allows (Narrative, txt-1 and txt-2)."""

from __future__ import annotations

import pytest

from fhir_keta.validation.xhtml import has_content, is_allowed_xhtml, is_link, is_url, read_narrative

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
        div("<?x y?>x"),
        div("x", f'{NAMESPACE} xmlns:x="urn:x:y"'),
        div('<pre xml:space="preserve">x</pre>'),
        div('<table summary="x"><tr><td nowrap="nowrap" char="." scope="row">x</td></tr></table>'),
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
        div("<ins>x</ins>"),  # chapter 9, section 4 of HTML 4.0
        div("<u>x</u>"),
        div('<p xmlns="urn:x:y">x</p>'),
        div('<p name="x">x</p>'),
        div('<a href="https://example.org" target="_blank">x</a>'),
        div('<ol start="2"><li>x</li></ol>'),
        div("<p style=color>x</p>"),
        div("&nbsp;"),
        f'<!DOCTYPE div [<!ENTITY x "y">]>{div("&x;")}',
        f"{div('x')}<?php x ?>",
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


# HL7's verdict on each: tests/oracle/test_base_cases.py
IN_PLACE = (
    "<table> <caption>x</caption><colgroup><col/></colgroup><thead><tr><th>x</th></tr></thead>"
    "<tbody><tr><td><table><tr><td>x</td></tr></table></td></tr></tbody></table>",
    "<ul><!-- x --> <li><p>x</p></li></ul><dl><dt>x</dt><dd><p>x</p></dd></dl>",
    "<p><dl><dt>x</dt></dl></p><span><span><p>x</p></span></span><b><p>x</p></b><blockquote><p>x</p></blockquote>",
    '<map name="x"><area shape="rect"/></map>x<br></br>',
)
OUT_OF_PLACE = (
    "<p><p>x</p></p>",
    "<p><span><div>x</div></span></p>",
    "<p><blockquote>x</blockquote></p>",
    "<span><div>x</div></span>",
    "<pre><div>x</div></pre>",
    "<h1><ul><li>x</li></ul></h1>",
    "<dl><dt>x</dt><dd><pre>x</pre></dd></dl>",
    "<b><i><b>x</b></i></b>",
    "x<br> </br>",
    "<hr>x</hr>",
    "<li>x</li>",
    "<tr><td>x</td></tr>",
    "<table><td>x</td></table>",
    "<table>x<tr><td>x</td></tr></table>",
    "<table><thead><th>x</th></thead></table>",
    "<ul>x</ul>",
    "<ul>&#160;<li>x</li></ul>",
    "<dl><li>x</li></dl>",
    "x<dd>x</dd>",
    "<caption>x</caption>",
    "x<col/>",
)


@pytest.mark.parametrize("content", IN_PLACE)
def test_elements_in_place(content: str) -> None:
    assert read_narrative(div(content)).is_in_place


@pytest.mark.parametrize("content", OUT_OF_PLACE)
def test_elements_out_of_place(content: str) -> None:
    narrative = read_narrative(div(content))
    assert not narrative.is_in_place
    assert narrative.is_allowed


@pytest.mark.parametrize(
    ("url", "shown", "followed"),
    [
        ("https://example.org/a%20b?c=d#e", True, True),
        ("Patient/1", True, True),
        ("mailto:a@example.org", True, True),
        ("https://example.org/ä|1", True, True),
        ("data:image/png;base64,aGVsbG8=", True, True),
        ("urn:x:y", True, False),
        ("cid:x", True, False),
        ("javascript:x", True, False),
        ("JavaScript:x", True, False),
        ("", False, False),
        ("a b", False, False),
        ("https://example.org/{x}", False, False),
        ("https://example.org/<", False, False),
        ("data:image/png;base64", False, False),
        ("data:image/png;base64,aGVsbG8", False, False),
        ("data:image/png;base64,a,b", False, False),
        ("data:no type,x", False, False),
    ],
)
def test_urls(url: str, shown: bool, followed: bool) -> None:
    assert is_url(url) is shown
    assert is_link(url) is followed
