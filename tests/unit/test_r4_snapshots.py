"""Our snapshots of HL7's own R4 profiles and extensions against the snapshots that HL7 published, element by element.

All fields are compared. What differs stands in DIFFERENT, each row with its reason; a row that no longer applies fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from fhir_keta.definitions.library import CORE
from fhir_keta.definitions.snapshot import with_snapshot
from fhir_keta.errors import DefinitionError
from tests.unit.r4_source import structures

JsonObject = dict[str, Any]

# HL7's differentials that break FHIR's own rules: profile, what we say, the rule.
REFUSED = {
    # Profiling FHIR, "Slicing": an element that is sliced has slicing; here sliceName stands on single elements
    # (FamilyMemberHistory.relationship:Relationship, Composition.date:IssueDate) without any.
    "familymemberhistory-genetic": "FamilyMemberHistory.relationship has slices but no slicing",
    "catalog": "Composition.date has slices but no slicing",
    # The differential allows no Extension.extension:revision.extension (max 0) and then requires three slices of it.
    "codesystem-history": "max 1 over 0 of its base",
}

NESTED_CHOICE = (
    "valueQuantity inside a slice: the publisher writes the constraint on value[x] itself, but on the top level "
    "(bodyweight, cholesterol) as a closed slice by type; we do the latter in both places, and it allows the same"
)
REQUIRED_CHOICE = "one type is left and required (min 1 on its slice): so is the element, as for HL7's tool of today"
UNFOLDED = "in this one profile the publisher unfolded the extension slices; no element below them is constrained"
ALL_SLICES = (
    "what a profile says of the unsliced element holds for its slices (Profiling FHIR, Slicing); HL7 left it out"
)

# profile, element, field (* any), reason
DIFFERENT = [
    ("bp", "Observation.component:*BP.value[[]x]*", "*", NESTED_CHOICE),
    ("elementdefinition-de", "ElementDefinition.extension:*", "*", UNFOLDED),
    ("provenance-relevant-history", "Provenance.agent:Author.type", "binding", ALL_SLICES),
    ("provenance-relevant-history", "Provenance.agent:Author", "comment", ALL_SLICES),
    (
        "provenance-relevant-history",
        "Provenance.entity.agent",
        "contentReference",
        "the publisher lets entity.agent refer to the slice Author (#Provenance.agent:Author), which nothing says",
    ),
    (
        "clinicaldocument",
        "Composition.extension:versionNumber",
        "max",
        "the differential is silent and the extension's own definition says at most 1; the publisher kept the base's *",
    ),
    ("devicemetricobservation", "Observation.effective[[]x]", "min", REQUIRED_CHOICE),
    ("bmi", "Observation.value[[]x]", "min", REQUIRED_CHOICE),
    (
        "*cholesterol",
        "Observation.referenceRange.*",
        "*",
        "the publisher replaced what R4 says of the element by what SimpleQuantity says of quantities, and gave the "
        "base as the source of sqty-1; we add SimpleQuantity's constraints, with their source, and keep the texts",
    ),
]


def test_snapshots_are_those_that_hl7_published() -> None:
    derived = [item for item in structures().values() if item.get("derivation") == "constraint"]
    assert len(derived) == 439
    unexplained: list[str] = []
    used: set[int] = set()
    refused: dict[str, str] = {}
    equal = 0
    for definition in derived:
        try:
            differences = list(_differences(definition))
        except DefinitionError as error:
            refused[definition["id"]] = str(error)
            continue
        equal += not differences
        for element, field, ours, theirs in differences:
            rows = [number for number, row in enumerate(DIFFERENT) if _covers(row, definition["id"], element, field)]
            used.update(rows)
            if not rows:
                unexplained.append(f"{definition['id']} {element} {field}: ours {ours}, HL7's {theirs}")
    assert unexplained == []
    assert {name: REFUSED[name] in message for name, message in refused.items()} == dict.fromkeys(REFUSED, True)
    assert sorted(used) == list(range(len(DIFFERENT))), "a row of DIFFERENT no longer applies: remove it"
    assert equal == 427


@pytest.mark.parametrize("name", ["bodyweight", "bp"])
def test_a_difference_would_be_seen(name: str) -> None:
    definition = structures()[CORE + name]
    changed = {**definition, "differential": {"element": definition["differential"]["element"][:-1]}}
    seen = {element for element, *_ in _differences(changed)}
    assert any(element.endswith("value[x]:valueQuantity.code") or ".value[x]" in element for element in seen)


def _differences(definition: JsonObject) -> Iterator[tuple[str, str, Any, Any]]:
    """(element id, field, ours, HL7's) for every difference."""
    known = structures()
    bare = {name: value for name, value in definition.items() if name != "snapshot"}
    made = with_snapshot(bare, lambda name: known.get(name if ":" in name else CORE + name))
    ours = {element["id"]: element for element in made["snapshot"]["element"]}
    theirs = {element["id"]: element for element in definition["snapshot"]["element"]}
    assert len(ours) == len(made["snapshot"]["element"]), f"{definition['id']}: an id stands twice"
    for element in ours.keys() ^ theirs.keys():
        yield element, "id", element in ours, element in theirs
    common = [element for element in theirs if element in ours]
    if [element for element in ours if element in theirs] != common:
        yield "(all)", "order", list(ours), list(theirs)
    for element in common:
        for field in sorted(ours[element].keys() | theirs[element].keys()):
            own, published = ours[element].get(field), theirs[element].get(field)
            if field == "constraint":
                own, published = _constraints(own, published)
            if own != published:
                yield element, field, own, published


def _constraints(ours: list[JsonObject], theirs: list[JsonObject]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Constraints by key, since their order says nothing.

    We always say the source; the publisher left it out below the root. HL7's two spellings of one xpath are the same.
    """
    published = {item["key"]: {**item, "xpath": item["xpath"].replace('"', "'")} for item in theirs or ()}
    own = {}
    for item in ours or ():
        source = published.get(item["key"], {}).get("source")
        known = {name: value for name, value in item.items() if name != "source"}
        own[item["key"]] = {
            **known,
            **({"source": item["source"]} if source else {}),
            "xpath": item["xpath"].replace('"', "'"),
        }
    return own, published


def _covers(row: tuple[str, str, str, str], profile: str, element: str, field: str) -> bool:
    return fnmatchcase(profile, row[0]) and fnmatchcase(element, row[1]) and row[2] in ("*", field)
