"""What a rule means, in words: for ``fhir-keta explain``."""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import UsageError
from fhir_keta.validation.rule_texts import text_of
from fhir_keta.validation.rule_texts.text import Example
from fhir_keta.validation.rules import RULES
from fhir_keta.validation.suggestions import suggestion

JsonObject = dict[str, Any]

_WIDTH = 100
_PLACES = 6
_PREFIX = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Invariant:
    """A constraint of FHIR or of a profile; ``places`` are the definitions that state it, as ``canonical#element``."""

    key: str
    severity: str
    human: str
    expression: str
    places: tuple[str, ...]


def explanation(rule: str, library: Library) -> str:
    """What a rule says, why it is there, an example and the fix; of an invariant what its definition says.

    Raises UsageError for a rule that neither this package nor a definition in the library has.
    """
    if rule in RULES:
        return _rule(rule)
    known = _invariants(library)
    if rule not in known:
        hint = suggestion(rule, [*RULES, *known])
        raise UsageError(f"There is no rule {rule!r}.{hint} For all of them: fhir-keta explain")
    return "\n".join(_invariant(each) for each in known[rule])


def rule_list(library: Library) -> str:
    """All rules and invariants, each with what it says in one line."""
    lines = ["Rules:"]
    lines += [f"  {rule.id}: {text_of(rule.id).says}" for rule in RULES.values()]
    lines += ["", "Invariants of FHIR R4 and of the profiles:"]
    for key, stated in sorted(_invariants(library).items()):
        if key not in RULES:
            lines.append(f"  {key}: {' '.join(stated[0].human.split())}")
    return "\n".join(lines) + "\n"


def _rule(rule_id: str) -> str:
    text = text_of(rule_id)
    rule = RULES[rule_id]
    parts = [f"{rule_id} ({rule.severity})", text.says, f"Why: {text.why}", f"Fix: {text.fix}"]
    if text.wrong is not None and text.right is not None:
        parts.append("\n".join(["Example (- wrong, + right):", *_difference(text.wrong, text.right)]))
    return "\n\n".join([parts[0], *(_wrapped(part) for part in parts[1:4]), *parts[4:]]) + "\n"


def _invariant(stated: Invariant) -> str:
    more = len(stated.places) - _PLACES
    places = [*stated.places[:_PLACES], *([f"and {more} more"] if more > 0 else [])]
    parts = [f"{stated.key} ({stated.severity})", _wrapped(stated.human)]
    if stated.expression:
        parts.append("FHIRPath:\n" + _indented([stated.expression]))
    if places:
        parts.append("Stated by (definition#element):\n" + _indented(places))
    return "\n\n".join(parts) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _difference(wrong: Example, right: Example) -> Iterator[str]:
    for line in difflib.ndiff(_lines(wrong), _lines(right)):
        if not line.startswith("?"):
            yield f"  {line}".rstrip()


def _lines(example: Example) -> list[str]:
    if isinstance(example, bytes):
        return example.decode(errors="backslashreplace").splitlines() or ["(nothing)"]
    return list(_pretty(example, ""))


def _pretty(value: Any, indent: str) -> Iterator[str]:
    """JSON with each object and array on one line where it fits."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent + line) <= _WIDTH - len("- "):
        yield line
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    members = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    yield opening
    for position, (name, item) in enumerate(members, 1):
        first, *rest = _pretty(item, indent + "  ")
        label = "" if name is None else f"{json.dumps(name)}: "
        *before, last = [f"  {label}{first}", *(f"  {each}" for each in rest)]
        yield from before
        yield last + ("," if position < len(value) else "")
    yield closing


def _invariants(library: Library) -> dict[str, list[Invariant]]:
    """Every constraint of the definitions by its key. A few keys stand for different ones in different profiles."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for structure in library.of_type("StructureDefinition"):
        part = structure.get("snapshot") or structure.get("differential") or {}
        for element in part.get("element", ()):
            for constraint in element.get("constraint", ()):
                human, expression = constraint.get("human", ""), constraint.get("expression", "")
                places = found.setdefault(
                    (constraint["key"], constraint.get("severity", "error"), human, expression), []
                )
                if constraint.get("source") in (None, structure["url"]):  # most of a snapshot's come from elsewhere
                    places.append(f"{structure['url'].removeprefix(_PREFIX)}#{element.get('id', element['path'])}")
    by_key: dict[str, list[Invariant]] = {}
    for (key, severity, human, expression), places in found.items():
        by_key.setdefault(key, []).append(Invariant(key, severity, human, expression, tuple(places)))
    return by_key
