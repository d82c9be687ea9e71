"""The items of accepted responses as text: see ``pieces``.

Each item's text is good or bad by itself, but for three things: which items stand together and in which order, the
answers that other items are enabled by, and totals. So an item's answer is put aside where none of these asks for it,
what is left of the items of an accepted response is remembered as one sequence, and totals are computed anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.records.json_text import Member, members
from fhir_keta.validation.accepted.varying import varying_type
from fhir_keta.validation.accepted.written import written
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.responses.checker import ResponseChecker

JsonObject = dict[str, Any]
Match = Callable[[bytes], Any]

_REMEMBERED = 20_000  # texts, and sequences: a bound on memory
_DEPTH = 8  # of items in items
_CLOSING = re.compile(r"[\]},]*")


@dataclass(slots=True, eq=False)
class AcceptedItems:
    """What was good as an item of a response to one questionnaire, under profiles that judge items one by one."""

    form: ResponseChecker
    compiled: tuple[Compiled, ...]
    _texts: dict[bytes, bytes] = field(default_factory=dict)  # an item's text -> what is left of it
    _forms: dict[bytes, list[tuple[Match, bytes, str, float]]] = field(
        default_factory=dict
    )  # by linkId, with an answer that varies
    _scored: dict[bytes, JsonObject] = field(default_factory=dict)  # an item's text -> the item, where a total asks
    _sequences: dict[tuple[object, ...], tuple[tuple[str, int], ...]] = field(default_factory=dict)
    _types: dict[str, str | None] = field(default_factory=dict)

    def accepts(self, items: Sequence[bytes], completeness: object) -> bool:
        """Whether these items are good, in a response of this completeness; each is its text after ``LINK_ID``."""
        left: tuple[object, ...] = tuple(map(self._texts.get, items))
        scored = self._sequences.get((completeness, left))
        if scored is None:
            left = tuple([known or self._matched(item) for known, item in zip(left, items, strict=True)])
            scored = self._sequences.get((completeness, left))
            if scored is None:
                return False
        return not scored or self.form.totals_follow({name: self._scored[items[number]] for name, number in scored})

    def _matched(self, item: bytes) -> bytes | None:
        for match, left, _, longest in self._forms.get(item[: item.find(b'"')], ()):
            if len(item) <= longest and match(item):
                return left
        return None

    def learn(self, items: Sequence[bytes], completeness: object, response: JsonObject) -> bool:
        """Remember the items of a response that was found good; False where they cannot be told by their text."""
        if len(self._texts) > _REMEMBERED or len(self._sequences) > _REMEMBERED:
            self._forget()
        texts = [item.decode() for item in items]
        link_ids = [text[: text.find('"')] for text in texts]
        asked = {name for total in self.form.totals for name in (total.link_id, *total.members)}
        once = {link_id for link_id in link_ids if link_ids.count(link_id) == 1}
        if any("\\" in link_id for link_id in link_ids) or asked & {*link_ids} - once:
            return False
        scope = self.form.scope(response)
        scored = []
        left = []
        for number, (item, text, link_id) in enumerate(zip(items, texts, link_ids, strict=True)):
            if link_id in asked:
                element = scope.get(link_id)
                if not isinstance(element, dict) or "item" in element:
                    return False
                self._scored[item] = element
                scored.append((link_id, number))
            alone = link_id in once and link_id not in self.form.enabling
            left.append(self._item(item, text, link_id, alone, link_id in asked))
        self._sequences[completeness, tuple(left)] = tuple(scored)
        return True

    def _item(self, item: bytes, text: str, link_id: str, alone: bool, scored: bool) -> bytes:
        """What is left of an item's text without what nothing else asks for; remembered with it."""
        answer = _answer(text) if alone else None
        if answer is None:
            return self._texts.setdefault(item, item)
        start, end = answer
        left = (text[:start] + text[end:]).encode()
        varying = None if scored else self._varying(text, start, end, link_id)
        if varying is None:
            return self._texts.setdefault(item, left)
        forms = self._forms.setdefault(link_id.encode(), [])
        if all(form[2:] != varying for form in forms):
            forms.append((re.compile(varying[0].encode()).fullmatch, left, *varying))
        return left

    def _varying(self, text: str, start: int, end: int, link_id: str) -> tuple[str, float] | None:
        """The pattern of an item's text if the value of its only answer may vary, and how long it may be in bytes."""
        found = _VALUE.fullmatch(text, start, end)
        rules = self.form.answer_rules.get(link_id)
        if found is None or rules is None or rules.checks:
            return None
        demanded = rules.schema["properties"].get(found["name"], False)
        limit = _longest(demanded)
        quoted = text[found.start("value")] == '"'
        first, last = found.start("value") + quoted, found.end("value") - quoted
        type_name = self._type(found["name"])
        pattern = written(type_name, text[first:last]) if type_name and limit else None
        if pattern is None or quoted is (type_name in ("decimal", "integer")):
            return None
        fixed = len((text[:first] + text[last:]).encode())
        return f"{re.escape(text[:first])}(?:{pattern}){re.escape(text[last:])}", fixed + limit

    def _type(self, name: str) -> str | None:
        """The type within which answers of this name may vary in items however deep, as far as the profiles go."""
        if name not in self._types:
            found = {
                varying_type(compiled, (*("item", 0) * depth, "answer", 0, name))
                for compiled in self.compiled
                for depth in range(1, _DEPTH)
            }
            self._types[name] = found.pop() if len(found) == 1 else None
        return self._types[name]

    def _forget(self) -> None:
        for each in (self._texts, self._forms, self._scored, self._sequences):
            each.clear()


_VALUE = re.compile(r'\[\{"(?P<name>value[A-Z]\w+)": ?(?P<value>"(?:[^"\\]|\\.)*"|[^\s"{}\[\],:]+)\}\]')


def _longest(demanded: JsonObject | bool) -> float:
    """How many characters an answer may have where nothing else is asked of it; 0 where something is."""
    if isinstance(demanded, bool):
        return math.inf if demanded else 0
    return float(demanded["maxLength"]) if demanded.keys() == {"maxLength"} else 0


def _answer(text: str) -> tuple[int, int] | None:
    """Where the answers of an item stand in its text, from bracket to bracket; None where they are not all there is.

    ``text`` begins with the linkId and ends with what follows the item up to the next one.
    """
    found = members('{"linkId":"' + text)
    if found is None:
        return None
    parts, end = found
    offset = len('{"linkId":"')
    answer: Member | None = next((part for part in parts if part.name == "answer"), None)
    names = {part.name for part in parts}
    if (
        answer is None
        or names - {"linkId", "text", "answer"}
        or not _CLOSING.fullmatch(text[end - offset :].replace(" ", ""))
    ):
        return None
    start = text.index("[", answer.start - offset)
    return start, answer.end - offset
