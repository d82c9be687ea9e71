"""The types that a StructureDefinition names: what each is made from, and what may be asked of its values.

R4, ElementDefinition.type, and StructureDefinition.kind, type and derivation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_keta.definitions.elements import Node, tree
from fhir_keta.definitions.library import CORE, MALFORMED, Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.shapes import objects, text

JsonObject = dict[str, Any]

SYSTEM = "http://hl7.org/fhirpath/System."
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"

_WHOLE = frozenset({"integer", "positiveInt", "unsignedInt", "date", "Count"})
_CONTINUOUS = frozenset({"decimal", "instant", "dateTime", "time", "Money"})
_MEASURED = frozenset({"Quantity", "SimpleQuantity", "MoneyQuantity", "Age", "Distance", "Duration"})
_CODED = frozenset({"string", "code", "uri", "url", "oid", "uuid", "Coding", "CodeableConcept", "Range", "Extension"})

WITH_CODES = _CODED | _MEASURED
WITH_PLACES = _CONTINUOUS | _MEASURED
WITH_ORDER = _WHOLE | WITH_PLACES
WITH_LENGTH = (
    frozenset({"string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid"})
    | (_WHOLE - {"Count"})
    | (_CONTINUOUS - {"Money"})
)
WITH_BYTES = frozenset({"base64Binary", "Attachment"})
WITH_TARGETS = frozenset({"Reference", "canonical"})

_WITH_CODES_WITHIN = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})

_CANONICAL = """
    ActivityDefinition CapabilityStatement ChargeItemDefinition CodeSystem CompartmentDefinition ConceptMap
    EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition
    ImplementationGuide Library Measure MessageDefinition NamingSystem OperationDefinition PlanDefinition
    Questionnaire ResearchDefinition ResearchElementDefinition RiskEvidenceSynthesis SearchParameter
    StructureDefinition StructureMap TerminologyCapabilities TestScript ValueSet
"""
# what a canonical leads to (R4, Canonical Resources); Resource is any of them
CANONICAL_RESOURCES = frozenset([*_CANONICAL.split(), "Resource"])


def stated_code(type_: JsonObject) -> str:
    """The code of a type, or where FHIR's type of a FHIRPath type is said beside it, that one."""
    for extension in objects(type_.get("extension")):
        if extension.get("url") == FHIR_TYPE:
            return text(extension.get("valueUrl", extension.get("valueUri")))
    return text(type_.get("code"))


def working_code(type_: JsonObject) -> str:
    """FHIR's name of a type, also where only FHIRPath's is given (System.String: string)."""
    code = stated_code(type_)
    if not code.startswith(SYSTEM):
        return code
    name = code.removeprefix(SYSTEM)
    return name[:1].lower() + name[1:]


def codes_of(element: JsonObject) -> list[str]:
    """FHIR's names of an element's types."""
    return [working_code(type_) for type_ in objects(element.get("type"))]


def referred(source: Node, reference: str) -> Node | None:
    """The element that a content reference leads to, in the definition with this root."""
    node: Node | None = source
    for step in reference.partition("#")[2].split(".")[1:]:
        node = node.children.get(step) if node else None
    return node


@dataclass(eq=False)
class Types:
    """What is known of types and profiles while one StructureDefinition is judged."""

    library: Library

    def __post_init__(self) -> None:
        self._trees: dict[str, Node | None] = {}

    def definition(self, name: str) -> JsonObject | None:
        """The StructureDefinition of a type or canonical as it was published; None where it is not known."""
        if not name:
            return None
        found = self.library.find(name if ":" in name else CORE + name)
        return found if found is not None and found["resourceType"] == "StructureDefinition" else None

    def with_snapshot(self, name: str) -> JsonObject | None:
        """The same with its snapshot; None also where none can be made."""
        try:
            return self.library.structure(name) if self.definition(name) else None
        except DefinitionError:
            return None

    def root(self, name: str) -> Node | None:
        """The elements of a definition as a tree; None where they are not known."""
        if name not in self._trees:
            found = self.with_snapshot(name)
            try:
                self._trees[name] = tree(found["snapshot"]["element"]) if found else None
            except MALFORMED:
                self._trees[name] = None
        return self._trees[name]

    def lineage(self, name: str) -> Iterator[JsonObject]:
        """A definition, its base, the base of that: each once, as far as they are known."""
        seen: set[str] = set()
        while (found := self.definition(name)) is not None and found["url"] not in seen:
            seen.add(found["url"])
            yield found
            name = text(found.get("baseDefinition"))

    def type_defined(self, name: str) -> JsonObject | None:
        """The type that a definition is a profile of, or itself; None where that is not known."""
        return next((each for each in self.lineage(name) if each.get("derivation") != "constraint"), None)

    def is_a(self, name: str, code: str) -> bool:
        """Whether a type is the one named by ``code``, or made from it; of concrete types none is made (R4, Types)."""
        for position, each in enumerate(self.lineage(name)):
            if position and not each.get("abstract") and each.get("kind") != "logical":
                return False
            if code in (each.get("type"), each["url"]):
                return True
        return False

    def may_become(self, code: str, allowed: str) -> bool:
        """Whether a profile may name the type ``code`` where its base has ``allowed``."""
        if code == allowed:
            return True
        base = self.definition(allowed)
        if base is None or not (base.get("abstract") or base.get("kind") == "logical"):
            return False
        return any(each.get("type") == base.get("type") for each in self.lineage(code))

    def is_data_type(self, name: str) -> bool:
        """Whether this is a data type of FHIR with parts, no profile of one."""
        found = self.definition(name)
        return found is not None and (found.get("kind"), found.get("derivation")) == ("complex-type", "specialization")

    def is_primitive(self, name: str) -> bool:
        """Whether this is a primitive type of FHIR."""
        found = self.definition(name)
        return found is not None and found.get("kind") == "primitive-type"

    def has_codes(self, name: str) -> bool:
        """Whether values of a type are or hold codes, as the type itself or one that it is made from says."""
        return any(each.get("type") in _WITH_CODES_WITHIN for each in self.lineage(name))
