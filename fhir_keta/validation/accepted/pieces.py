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
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.records.json_text import Member, members
from fhir_keta.validation.accepted.items import AcceptedItems
from fhir_keta.validation.accepted.layouts import Layouts
from fhir_keta.validation.accepted.piece import COMMA, LINK_ID, RESPONSE, Path, Piece, cut, is_spaced, piece_of
from fhir_keta.validation.accepted.piece_tree import PieceTree, varying_tokens
from fhir_keta.validation.accepted.together import Together, element_of, items_are_independent, read_together
from fhir_keta.validation.accepted.varying import varying_type
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.functions import URIS
from fhir_keta.validation.primitives import LONGEST_STRING
from fhir_keta.validation.responses.checker import ResponseChecker
from fhir_keta.validation.shapes import objects

JsonObject = dict[str, Any]

_LONGEST = 60_000  # bytes of a record: longer ones are rarely like others
_REMEMBERED = 8_000_000  # bytes of text, beyond which all is forgotten and learnt anew: a bound on memory

# the root elements whose content decides which profiles and which questionnaire a record is held to
_DECIDING = frozenset({"resourceType", "meta", "code", "questionnaire"})
# they hold other resources, or rules deep inside them look at the root
_NEVER = frozenset({"Bundle", "Parameters", "StructureDefinition"})

_FRAGMENT = re.compile(r"""['"]#([^'"]*)""")


@dataclass(slots=True, eq=False)
class _Kind:
    """What was good for one set of profiles and, for responses, one questionnaire.

    ``pieces`` has with each what of it rules may relate to others: the piece with its content, its key where they only
    ask whether it is there, or nothing.
    """

    compiled: tuple[Compiled, ...]
    together: Together | None
    items: AcceptedItems | None
    pieces: dict[Piece, Piece | str | None] = field(default_factory=dict)
    _combinations: set[frozenset[Piece | str]] = field(default_factory=set)
    _containing: set[frozenset[Piece]] = field(default_factory=set)
    _types: dict[Path, str | None] = field(default_factory=dict)

    def accepts(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether these pieces were good, and good together."""
        if not all(map(self.pieces.__contains__, pieces)) or len({piece.key for piece in pieces}) < len(pieces):
            return False
        return self._combination(pieces) in self._combinations and _containing(pieces) in self._containing

    def learn(self, pieces: tuple[Piece, ...]) -> None:
        """Remember the pieces of a record that was found good."""
        for piece in pieces:
            self.pieces[piece] = self._related(piece)
        self._combinations.add(self._combination(pieces))
        self._containing.add(_containing(pieces))

    def _combination(self, pieces: tuple[Piece, ...]) -> frozenset[Piece | str]:
        """What of these pieces rules may relate to each other."""
        return frozenset(filter(None, map(self.pieces.__getitem__, pieces)))

    def _related(self, piece: Piece) -> Piece | str | None:
        if self.together is None:
            return piece
        name = element_of(self.compiled[0], piece.key)
        if name in self.together.names:
            return piece
        is_asked = name in self.together.asked or (self.items is not None and name == "item")
        return piece.key if is_asked else None

    def varying_type(self, path: Path) -> str | None:
        """The type of the value at ``path`` in a piece if it may vary, see ``varying``; None where it may not."""
        if self.together is None or element_of(self.compiled[0], str(path[0])) in self.together.fixed:
            return None
        anywhere = tuple([0 if isinstance(step, int) else step for step in path])
        if anywhere not in self._types:
            found = {varying_type(compiled, path) for compiled in self.compiled}
            self._types[anywhere] = found.pop() if len(found) == 1 else None
        return self._types[anywhere]


@dataclass(eq=False)
class AcceptedPieces:
    """The memory of one validator. Threads may share it: what is learnt is complete before it can be found."""

    _tree: PieceTree = field(default_factory=PieceTree)
    _kinds: dict[Hashable, _Kind] = field(default_factory=dict)
    _decided: dict[tuple[Piece, ...], _Kind] = field(default_factory=dict)
    _layouts: Layouts[tuple[_Kind, Piece | None]] = field(default_factory=Layouts)

    def accepts(self, data: bytes) -> bool:
        """Whether the record in ``data`` is surely good; False leaves it to the full check."""
        if len(data) > LONGEST_STRING:  # of what varies nobody looks how long it is
            return False
        tokens, items = cut(data)
        found = self._layouts.find(tokens) or self._read(tokens)
        if found is None:
            return False
        kind, status = found
        if items and (kind.items is None or not kind.items.accepts(items, status)):
            return False
        return data.isascii() or _is_utf_8(data)

    def _read(self, tokens: list[bytes]) -> tuple[_Kind, Piece | None] | None:
        """The kind of a record and the piece with its status, where its pieces are good together."""
        found = self._tree.read(tokens)
        if found is None:
            return None
        pieces, varying = found
        kind = self._decided.get(_deciding(pieces))
        if kind is None or not kind.accepts(pieces):
            return None
        outcome = kind, _status(pieces)
        self._layouts.learn(tokens, varying_tokens(varying), outcome)
        return outcome

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
        if len(data) > _LONGEST or not _is_plain(resource) or is_response is not data.startswith(RESPONSE):
            return
        text = data.decode()
        found = members(text)
        if found is None or found[1] != len(text) or (is_response and form is None):
            return
        kind = self._kind(held_to, compiled, form)
        pieces: list[Piece] = []
        for member in found[0]:
            if member.name == "item" and is_response:
                member = Member("item", member.start, text.index("[", member.start) + 1)
            piece = self._piece(text, member, kind, is_spaced(data))
            if piece is None or ('"id":' in piece.text and piece.key not in ("id", "contained")):
                return  # ids of elements differ throughout a resource
            pieces.append(piece)
        together = tuple(pieces)
        written = next((text[member.start : member.end] for member in found[0] if member.name == "item"), None)
        if is_response and written:
            items = kind.items
            if items is None or not self._learn_items(data, resource, items, written, _status(together)):
                return
        kind.learn(together)
        self._decided[_deciding(together)] = kind

    def _kind(self, held_to: Hashable, compiled: tuple[Compiled, ...], form: ResponseChecker | None) -> _Kind:
        if self._tree.size > _REMEMBERED:
            for memory in (self._tree, self._layouts):
                memory.forget()
            self._kinds.clear()
            self._decided.clear()
        if held_to not in self._kinds:
            apart = form is not None and all(map(items_are_independent, compiled))
            items = AcceptedItems(form, compiled) if form and apart else None
            self._kinds[held_to] = _Kind(compiled, _together(compiled), items)
        return self._kinds[held_to]

    def _piece(self, text: str, member: Member, kind: _Kind, spaced: int) -> Piece | None:
        """The piece that this root element is, made if there is none yet; None where it cannot be one."""
        known = self._tree.read(text[member.start + 1 : member.end].encode().split(COMMA[spaced]))
        only = known[0][0] if known is not None and len(known[0]) == 1 else None
        if only and (only in kind.pieces or not only.patterns):
            return only  # without patterns it is this very text
        piece, places = piece_of(text, member, spaced, kind.varying_type)
        return only if only and only.says_the_same(piece) else self._tree.add(piece, places, spaced)

    def _learn_items(
        self, data: bytes, resource: JsonObject, items: AcceptedItems, written: str, status: Piece | None
    ) -> bool:
        texts = cut(data)[1]
        opening = written[: written.index("[") + 1].encode()
        if LINK_ID[is_spaced(data)].join([opening, *texts]) != written.encode():
            return False
        self._tree.size += 32 * len(texts)
        return data.count(b'"linkId"') == len(texts) and items.learn(texts, status, resource)


def _containing(pieces: tuple[Piece, ...]) -> frozenset[Piece]:
    """What is contained, and all that refers to it."""
    return frozenset([piece for piece in pieces if piece.key == "contained" or "#" in piece.text])


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


def _is_plain(resource: JsonObject) -> bool:
    """Whether what stands in one root element is not judged by what stands in another's companion, or inside it.

    What begins with # may lead to the id of the record, which varies, where it leads to nothing contained; so may a
    link in a narrative. An identifier that is a URI is not any text.
    """
    if resource["resourceType"] in _NEVER or any(name.startswith("_") for name in resource):
        return False
    shown = str(resource)
    if URIS in shown or "#" in str(resource.get("text")):
        return False
    return {each["id"] for each in objects(resource.get("contained")) if "id" in each}.issuperset(
        _FRAGMENT.findall(shown)
    )


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
