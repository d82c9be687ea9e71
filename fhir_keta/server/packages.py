"""What of a FHIR package (.tgz) is loaded into a server: its definitions, and on request its examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fhir_keta.definitions.package import Member, Package, read
from fhir_keta.records.source import Place, Record, shown
from fhir_keta.server.incoming import is_definition_type


@dataclass(frozen=True, slots=True)
class Chosen:
    """``records`` are what is to be uploaded, byte for byte as in the package; ``remarks`` say what is not, and why."""

    records: tuple[Record, ...]
    remarks: tuple[str, ...]


def choose(source: Path, *, examples: bool = False) -> Chosen:
    """Return what of the package is loaded: resources of definition types in its main folder; with ``examples`` all.

    Examples are whatever stands in a folder of examples, and resources of other types (Bundle, List, Patient)
    wherever they stand. An ImplementationGuide that lists what is not loaded is left out too, because servers that
    check references refuse it. Raises DefinitionError when the file is no FHIR package for R4, or not safe to read.
    """
    package = read(source)
    if examples:
        return Chosen(tuple(_records(package.members, source)), tuple(_remarks(package, ())))
    chosen = [member for member in package.members if _is_definition(member)]
    left_out = {_name(member) for member in package.members} - {_name(member) for member in chosen}
    guides = [member for member in chosen if not left_out.isdisjoint(_listed(member))]
    records = _records((member for member in chosen if member not in guides), source)
    others = [member for member in package.members if not _is_definition(member)]
    return Chosen(tuple(records), tuple(_remarks(package, others, guides)))


def _is_definition(member: Member) -> bool:
    return not member.example and is_definition_type(member.resource["resourceType"])


def _name(member: Member) -> str:
    return f"{member.resource['resourceType']}/{member.resource.get('id')}"


def _listed(member: Member) -> Iterator[str]:
    """What an ImplementationGuide lists as its resources; nothing for other definitions."""
    if member.resource["resourceType"] == "ImplementationGuide":
        definition = member.resource.get("definition")
        listed = definition.get("resource") if isinstance(definition, dict) else None
        for each in listed if isinstance(listed, list) else ():
            reference = each.get("reference") if isinstance(each, dict) else None
            if isinstance(reference, dict) and isinstance(reference.get("reference"), str):
                yield reference["reference"]


def _records(members: Iterable[Member], source: Path) -> Iterator[Record]:
    for member in members:
        yield Record(member.data, Place(f"{shown(source)}/{member.name}"))


def _remarks(package: Package, others: Iterable[Member], guides: Iterable[Member] = ()) -> Iterator[str]:
    """What a user should know who expects everything of the package on the server, a sentence each."""
    counts = Counter(member.resource["resourceType"] for member in others)
    if counts:
        kinds = ", ".join(f"{number} {kind:.64}" for kind, number in sorted(counts.items()))
        yield f"examples are left out ({kinds}): add --examples to load them."
    for guide in guides:
        yield f"{_name(guide):.100} is left out, because it lists examples that are not loaded: add --examples."
    if package.passed_over:
        yield f"no resources: {', '.join(package.passed_over)}."
    needed = [f"{name} {version}" for name, version in sorted(package.dependencies.items()) if not _is_base(name)]
    if needed:
        yield f"it depends on {', '.join(needed)}: load that too, if the server has not got it."


def _is_base(name: str) -> bool:
    return name in ("hl7.fhir.r4.core", "hl7.fhir.core")
