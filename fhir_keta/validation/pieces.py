"""The accept path of whole records: text that was good once, in this place, is good again.

Records of one kind repeat their codes, categories, units and questions, and differ in ids, times and texts. So the
text of each root element of an accepted record is remembered, with room for the values that may vary (``varying``),
and so is which elements stood together. A record made of such pieces is accepted as it is, without being parsed: its
text is that of records found good, but for values that no rule cares about. All else is left to the full check, and
what that accepts is learnt. Nothing here knows a rule of FHIR.

A text is cut into tokens at each comma before a quotation mark. Within a string no quotation mark stands bare, so
tokens that were learnt can only be met again in a text with the very same structure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_keta.records.json_text import Leaf, Member, leaves, members
from fhir_keta.validation.accepted_items import LINK_ID, AcceptedItems
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.responses import ResponseChecker
from fhir_keta.validation.varying import REFERENCE, Together, element_of, read_together, varying_type, written

JsonObject = dict[str, Any]

_LONGEST = 60_000  # bytes of a record: longer ones are rarely like others
_REMEMBERED = 8_000_000  # bytes of text, beyond which all is forgotten and learnt anew: a bound on memory
_COMBINATIONS = 20_000
_REFERENCES = 10_000
_FORMS = 16  # of one token with values that vary

# the root elements whose content decides which profiles and which questionnaire a record is held to
_DECIDING = frozenset({"resourceType", "meta", "code", "questionnaire"})
# they hold other resources, or rules deep inside them look at the root
_NEVER = frozenset({"Bundle", "Parameters", "StructureDefinition"})

# without and with a blank after colon and comma
_COMMA = (b',"', b', "')
_RESPONSE = (b'{"resourceType":"QuestionnaireResponse"', b'{"resourceType": "QuestionnaireResponse"')

_VARIES = "\0"  # stands for such a value in a piece's text; in JSON it would be escaped
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/(?=[A-Za-z0-9.\-]{1,64}$)")
# how a token with a value that varies is matched, what may follow, the role of the value, the pattern
_Form = tuple[Callable[[bytes], "re.Match[bytes] | None"], Any, str, str]
_NO_FORMS: dict[bytes, list[_Form]] = {}
# after a token: the tokens that may follow it, or the piece that ends with it; under None the forms, by token's name
_Following = dict[bytes | None, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A root element as text: its name, the text with ``_VARIES`` for what varies, and how that may be written."""

    key: str
    text: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Varying:
    """A value that varies: where it stands in the text, how it may be written; whether it is an end of a Period (start,
    end) or the id in a reference."""

    start: int
    end: int
    pattern: str
    role: str = ""


@dataclass(slots=True, eq=False)
class _Kind:
    """What was good for one set of profiles and, for responses, one questionnaire."""

    compiled: tuple[Compiled, ...]
    together: Together | None
    items: AcceptedItems | None
    pieces: set[Piece] = field(default_factory=set)
    combinations: set[frozenset[Piece | str]] = field(default_factory=set)
    types: dict[tuple[str | int, ...], str | None] = field(default_factory=dict)

    def combination(self, pieces: tuple[Piece, ...]) -> frozenset[Piece | str] | None:
        """What of these pieces rules may relate to each other: that an element is there, or its content too.

        What is contained goes with all that refers to it. None where a name stands twice.
        """
        if len({piece.key for piece in pieces}) < len(pieces):
            return None
        if self.together is None:
            return frozenset(pieces)
        together, compiled = self.together, self.compiled[0]
        found: list[Piece | str] = []
        for piece in pieces:
            name = element_of(compiled, piece.key)
            if name in together.names or name == "contained" or '"#' in piece.text:
                found.append(piece)
            elif name in together.asked or (self.items and name == "item"):
                found.append(piece.key)
        return frozenset(found)

    def varying_type(self, path: tuple[str | int, ...]) -> str | None:
        """The type of the value at ``path`` in a piece if it may vary, see ``varying``; None where it may not."""
        if self.together is None or element_of(self.compiled[0], str(path[0])) in self.together.fixed:
            return None
        anywhere = tuple([0 if isinstance(step, int) else step for step in path])
        if anywhere not in self.types:
            found = {varying_type(compiled, path) for compiled in self.compiled}
            self.types[anywhere] = found.pop() if len(found) == 1 else None
        return self.types[anywhere]


@dataclass(eq=False)
class AcceptedPieces:
    """The memory of one validator. Threads may share it: what is learnt is complete before it can be found."""

    _start: _Following = field(default_factory=dict)
    _kinds: dict[Hashable, _Kind] = field(default_factory=dict)
    _decided: dict[tuple[Piece, ...], _Kind] = field(default_factory=dict)
    _known: dict[tuple[Piece, ...], tuple[_Kind, Piece | None]] = field(default_factory=dict)
    _bytes: int = 0
    _met: list[tuple[_Following, bytes]] = field(default_factory=list)

    def accepts(self, data: bytes) -> bool:
        """Whether the record in ``data`` is surely good; False leaves it to the full check."""
        tokens, items = _cut(data)
        pieces = self._read(tokens)
        if pieces is None:
            return False
        known = self._known.get(pieces) or self._combined(pieces)
        if known is None:
            return False
        kind, status = known
        if items and (kind.items is None or not kind.items.accepts(items, status)):
            return False
        return data.isascii() or _is_utf_8(data)

    def _read(self, tokens: list[bytes]) -> tuple[Piece, ...] | None:
        pieces = []
        following = start = self._start
        earlier = b""  # the start of the Period that is being read
        for token in tokens:
            after = following.get(token)
            if after is None:
                for form in following.get(None, _NO_FORMS).get(token[: token.find(b'":')], ()):
                    if found := form[0](token):
                        break
                else:
                    return None
                _, after, role, _ = form
                if role == REFERENCE:
                    self._meet(following, token, after)
                elif role == "start":
                    earlier = found[1]
                elif role == "end" and not _in_order(earlier, found[1]):
                    return None
            if type(after) is dict:
                following = after
            else:
                pieces.append(after)
                following = start
        return tuple(pieces) if following is start else None

    def _meet(self, following: _Following, token: bytes, after: Any) -> None:
        """Know a reference again: a patient's records follow one another."""
        if len(self._met) > _REFERENCES:
            met, self._met = self._met, []
            for where, each in met:
                where.pop(each, None)
        following[token] = after
        self._met.append((following, token))

    def _combined(self, pieces: tuple[Piece, ...]) -> tuple[_Kind, Piece | None] | None:
        kind = self._decided.get(_deciding(pieces))
        if kind is None or not kind.pieces.issuperset(pieces):
            return None
        combination = kind.combination(pieces)
        if combination is None or combination not in kind.combinations:
            return None
        if len(self._known) >= _COMBINATIONS:
            self._known.clear()
        self._known[pieces] = found = kind, _status(pieces)
        return found

    def learn(
        self,
        data: bytes,
        resource: JsonObject,
        held_to: Hashable,
        compiled: tuple[Compiled, ...],
        form: ResponseChecker | None,
    ) -> None:
        """Remember a record in which the full check found nothing, not even a warning.

        ``held_to`` names what that was: the profiles ``compiled`` and, for a response, the questionnaire ``form``.
        """
        is_response = resource["resourceType"] == "QuestionnaireResponse"
        if len(data) > _LONGEST or not _is_plain(data, resource) or is_response is not data.startswith(_RESPONSE):
            return
        text = data.decode()
        found = members(text)
        if found is None or found[1] != len(text) or (is_response and form is None):
            return
        if self._bytes > _REMEMBERED:
            self._forget()
        kind = self._kinds.get(held_to)
        if kind is None:
            items = AcceptedItems(form, compiled) if form else None
            kind = self._kinds[held_to] = _Kind(compiled, _together(compiled), items)
        pieces = []
        written = ""
        for member in found[0]:
            is_items = member.name == "item" and is_response
            if is_items:
                written = text[member.start : member.end]
                member = Member("item", member.start, text.index("[", member.start) + 1)
            piece = self._piece(text, member, kind, data[16:17] == b" ", is_items)
            if piece is None or ('"id":' in piece.text and piece.key not in ("id", "contained")):
                return  # ids of elements differ throughout a resource
            pieces.append(piece)
        together = tuple(pieces)
        if written and kind.items and not self._learn_items(data, resource, kind.items, written, together):
            return
        combination = kind.combination(together)
        if combination is None:
            return
        kind.pieces.update(together)
        kind.combinations.add(combination)
        self._decided[_deciding(together)] = kind

    def _learn_items(
        self, data: bytes, resource: JsonObject, items: AcceptedItems, written: str, pieces: tuple[Piece, ...]
    ) -> bool:
        texts = _cut(data)[1]
        link_id = LINK_ID[data[16:17] == b" "]
        if link_id.join([written.partition("[")[0].encode() + b"[", *texts]) != written.encode():
            return False
        if data.count(b'"linkId"') != len(texts):
            return False
        self._bytes += 32 * len(texts)
        return items.learn(texts, _status(pieces), resource)

    def _piece(self, text: str, member: Member, kind: _Kind, spaced: bool, is_items: bool) -> Piece | None:
        """The piece that this root element is, made if there is none yet; None where it cannot be one."""
        known = self._read(text[member.start + 1 : member.end].encode().split(_COMMA[spaced]))
        only = known[0] if known is not None and len(known) == 1 else None
        if only and (only in kind.pieces or not only.patterns):
            return only  # without patterns it is this very text
        places = [] if is_items else _places(text, member, kind)
        parts, start = [], member.start + 1
        for place in places:
            parts += [text[start : place.start], _VARIES]
            start = place.end
        patterns = tuple([place.pattern for place in places])
        piece = Piece(member.name, "".join(parts) + text[start : member.end], patterns)
        return only if only and _same(only, piece) else self._inserted(piece, places, spaced)

    def _inserted(self, piece: Piece, places: list[_Varying], spaced: bool) -> Piece | None:
        """The piece, or the one of the same text that was there; None where there are too many like it."""
        following = self._start
        values = iter(places)
        tokens = piece.text.split(_COMMA[spaced].decode())
        for number, token in enumerate(tokens, start=1):
            after: Any = piece if number == len(tokens) else {}
            if _VARIES in token:
                inside = [next(values) for _ in range(token.count(_VARIES))]
                if len(inside) > 1:
                    inside = [replace(value, role="" if value.role == REFERENCE else value.role) for value in inside]
                    if any(value.role for value in inside):
                        return None
                pattern, role = _pattern(token, inside), inside[0].role
                forms = following.setdefault(None, {}).setdefault(token[: token.find('":')].encode(), [])
                same = [known for known in forms if known[2:] == (role, pattern)]
                if not same and len(forms) >= _FORMS:
                    return None
                if not same:
                    forms.append((re.compile(pattern.encode()).fullmatch, after, role, pattern))
                after = same[0][1] if same else after
            else:
                after = following.setdefault(token.encode(), after)
            self._bytes += len(token) + 200
            if type(after) is not dict:
                return after if _same(after, piece) else None
            following = after
        return None

    def _forget(self) -> None:
        self._start = {}
        for each in (self._kinds, self._decided, self._known, self._met):
            each.clear()
        self._bytes = 0


def _cut(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """The tokens of a record, and of a response the texts of its items, each as it follows ``LINK_ID``."""
    spaced = data[16:17] == b" "
    if not data.startswith(_RESPONSE):
        return (data[2:-1].split(_COMMA[spaced]) if data.endswith(b"}") else []), []
    head, *items = data[2:-1].split(LINK_ID[spaced]) if data.endswith(b"}") else [b""]
    tokens = head.split(_COMMA[spaced])
    if items and (end := items[-1].find(b"]" + _COMMA[spaced])) >= 0:  # what follows the items
        tokens += items[-1][end + 1 + len(_COMMA[spaced]) :].split(_COMMA[spaced])
        items[-1] = items[-1][: end + 1]
    return tokens, items


def _same(one: Piece, other: Piece) -> bool:
    return one.text == other.text and one.patterns == other.patterns


def _deciding(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    return tuple([piece for piece in pieces if piece.key in _DECIDING])


def _status(pieces: tuple[Piece, ...]) -> Piece | None:
    """What says whether a response is complete."""
    return next((piece for piece in pieces if piece.key == "status"), None)


def _together(compiled: tuple[Compiled, ...]) -> Together | None:
    found = [read_together(each) for each in compiled]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None

    def every(name: str) -> frozenset[str]:
        return frozenset().union(*(getattr(each, name) for each in known))

    return Together(every("names"), every("fixed"), every("asked"))


def _is_plain(data: bytes, resource: JsonObject) -> bool:
    """Whether a record's root elements can be told apart by their text, and nothing leads from one to another."""
    return resource["resourceType"] not in _NEVER and not any(name.startswith("_") for name in resource)


def _places(text: str, member: Member, kind: _Kind) -> list[_Varying]:
    """The values in a root element that may vary, in their order."""
    written = text[member.start : member.end]
    if 'xtension"' in written or member.name == "contained" or _VARIES in written:
        return []
    start = member.end - len(written.partition(":")[2].removeprefix(" "))
    every = leaves(text, start)
    paths = {leaf.path for leaf in every}
    found: dict[tuple[str | int, ...], _Varying] = {}
    for leaf in every:
        if not (leaf.path and isinstance(leaf.path[-1], int)) and (
            place := _place(text, leaf, kind.varying_type((member.name, *leaf.path)))
        ):
            found[leaf.path] = place
    return [place for path in found if (place := _in_period(path, found, paths))]


def _in_period(
    path: tuple[str | int, ...], found: dict[tuple[str | int, ...], _Varying], paths: set[tuple[str | int, ...]]
) -> _Varying | None:
    """The place as it is, or as one end of a Period: both of its ends vary, in their order, or none does."""
    if path[-1:] not in (("start",), ("end",)):
        return found[path]
    start, end = (*path[:-1], "start"), (*path[:-1], "end")
    if not {start, end} <= paths:
        return found[path]
    if not {start, end} <= found.keys() or found[start].start > found[end].start:
        return None
    return replace(found[path], role=str(path[-1]), pattern=f"({found[path].pattern})")


def _place(text: str, leaf: Leaf, type_name: str | None) -> _Varying | None:
    if type_name is None:
        return None
    quoted = text[leaf.start] == '"'
    start, end = leaf.start + quoted, leaf.end - quoted
    if type_name == REFERENCE:
        named = _REFERENCE.match(text[start:end])
        if named is None:
            return None
        start += named.end()
    pattern = written(type_name, text[start:end])
    return _Varying(start, end, pattern, REFERENCE if type_name == REFERENCE else "") if pattern else None


def _pattern(token: str, inside: list[_Varying]) -> str:
    first, *rest = token.split(_VARIES)
    parts = [value.pattern + re.escape(part) for value, part in zip(inside, rest, strict=True)]
    return re.escape(first) + "".join(parts)


def _in_order(start: bytes, end: bytes) -> bool:
    """Whether one time is not after the other; only said where both are written alike, in the same zone."""
    return len(start) == len(end) and start[19:] == end[19:] and start <= end


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
