"""Whether a coding is one of its code system's, for the systems known completely (R4, Using Codes in resources)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.known_addresses import is_unknown_to_hl7
from fhir_keta.validation.shapes import objects, text

JsonObject = dict[str, Any]

_REMEMBERED = 20_000  # verdicts: a bound on memory
_LONGEST = 500  # characters of a coding whose verdict is remembered


@dataclass(slots=True)
class _System:
    displays: dict[str, frozenset[str]]
    any_case: bool
    codes: tuple[str, ...]


@dataclass(slots=True)
class Terminology:
    """Verdicts on codings, each worked out once: records repeat the same few codings."""

    library: Library
    _systems: dict[str, _System | None] = field(default_factory=dict)
    _verdicts: dict[tuple[str, str, str | None, str], str] = field(default_factory=dict)

    def verdict(self, system: Any, code: Any, display: Any, version: Any = None) -> str:
        """ "code-unknown", "display-wrong", "system-value-set", "address-unknown"; "": right, or not to be judged here.

        As for HL7's validator, displays may differ in case, not in white space, and where the system gives none every
        one is wrong. Of a version of the system that is not known here nothing is said.
        """
        if not isinstance(system, str):
            return ""
        if not isinstance(code, str):
            return "address-unknown" if is_unknown_to_hl7(system, self.library) else ""
        shown = display if isinstance(display, str) else None
        key = (system, code, shown, version if isinstance(version, str) else "")
        found = self._verdicts.get(key)
        if found is None:
            found = self._judge(*key)
            if len(self._verdicts) < _REMEMBERED and sum(len(part or "") for part in key) <= _LONGEST:
                self._verdicts[key] = found
        return found

    def codes(self, system: str) -> tuple[str, ...]:
        """The codes of a system known completely; empty for others."""
        known = self._system(system)
        return known.codes if known else ()

    def _judge(self, system: str, code: str, display: str | None, version: str) -> str:
        known = self._system(f"{system}|{version}" if version else system)
        if known is None:
            if is_unknown_to_hl7(system, self.library):
                return "address-unknown"
            return "system-value-set" if self.library.is_value_set(system) else ""
        displays = known.displays.get(code)
        if displays is None and known.any_case:
            displays = next(
                (found for name, found in known.displays.items() if name.casefold() == code.casefold()), None
            )
        if displays is None:
            return "code-unknown"
        if display is None or display.casefold() in displays:
            return ""
        return "display-wrong"

    def _system(self, url: str) -> _System | None:
        if url not in self._systems:
            resource = self.library.code_system(url)
            if resource is not None:
                self._systems[url] = _system(resource) if resource.get("content") == "complete" else None
            elif structure := self._of_structure(url):
                self._systems[url] = structure
            else:
                return None  # not remembered: records may name any number of unknown ones
        return self._systems[url]

    def _of_structure(self, url: str) -> _System | None:
        """A StructureDefinition stands for the system of its elements; as for HL7's validator, its name does too."""
        try:
            structure = self.library.structure(url)
        except DefinitionError:  # it is told where the definition is used
            return None
        if structure is None:
            return None
        names = [element["id"] for element in structure["snapshot"]["element"] if "id" in element]
        return _System({name: frozenset({name.casefold()}) for name in names}, True, tuple(sorted(names)))


def _system(resource: JsonObject) -> _System:
    displays: dict[str, frozenset[str]] = {}
    stack = objects(resource.get("concept"))
    while stack:
        concept = stack.pop()
        named = [
            text(concept.get("display")),
            *(text(each.get("value")) for each in objects(concept.get("designation"))),
        ]
        if code := text(concept.get("code")):
            displays[code] = frozenset(name.casefold() for name in named if name)
        stack.extend(objects(concept.get("concept")))
    return _System(displays, not resource.get("caseSensitive", False), tuple(sorted(displays)))
