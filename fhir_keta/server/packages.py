"""What of a FHIR package (.tgz) is loaded into a server: its definitions, and on request its examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fhir_keta.definitions.package import Member, Package, read
from fhir_keta.records.files import shown
from fhir_keta.records.source import Place, Record
from fhir_keta.server.incoming import STORED_WHOLE, is_definition, is_definition_type


@dataclass(frozen=True, slots=True)
class Chosen:
    """``records`` are what is to be uploaded, byte for byte as in the package; ``remarks`` say what is not, and why."""

    records: tuple[Record, ...]
    remarks: tuple[str, ...]


def choose(source: Path, *, examples: bool = False) -> Chosen:
    """Return what of the package is loaded: resources of definition types in its main folder; with ``examples`` all.

    Examples are whatever stands in a folder of examples, and resources of other types (List, Patient) wherever they
    stand. Left out in any case: what has no identity, and Bundles of transactions, results and collections, whose
    entries are mostly examples in files of their own. An ImplementationGuide that lists something left out is left out
    too, because servers that check references refuse it.
    Raises DefinitionError when the file is no FHIR package for R4, or not safe to read.
    """
    package = read(source)
    usable = [member for member in package.members if _has_identity(member) and not _is_split(member)]
    chosen = usable if examples else [member for member in usable if _is_definition(member)]
    lacking = {_name(member) for member in package.members} - {_name(member) for member in chosen}
    guides = [member for member in chosen if not lacking.isdisjoint(_listed(member))]
    records = tuple(
        Record(member.data, Place(f"{shown(source)}/{member.name}")) for member in chosen if member not in guides
    )
    return Chosen(records, tuple(_remarks(package, chosen, guides)))


def _has_identity(member: Member) -> bool:
    resource = member.resource
    return isinstance(resource.get("id"), str) or is_definition(resource)


def _is_split(member: Member) -> bool:
    return member.resource["resourceType"] == "Bundle" and member.resource.get("type") not in STORED_WHOLE


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


def _remarks(package: Package, chosen: Iterable[Member], guides: Iterable[Member]) -> Iterator[str]:
    """What someone should know who expects everything of the package on the server, a sentence each."""
    loaded = {member.name for member in chosen}
    others = [member for member in package.members if member.name not in loaded]
    nameless = [member for member in others if not _has_identity(member)]
    bundles = [member for member in others if _is_split(member)]
    examples = [member for member in others if member not in nameless and member not in bundles]
    if examples:
        yield f"its examples are left out ({_counted(examples)}): add --examples to load them."
    if bundles:
        yield f"its Bundles that are no documents or messages are left out ({len(bundles)}): unpack them for that."
    if nameless:
        names = ", ".join(member.name for member in nameless)
        yield f"what has no id is left out ({names}): a second upload could not find it again."
    for guide in guides:
        yield f"{_name(guide):.100} is left out, because it lists resources that are left out."
    if package.passed_over:
        yield f"no resources, so left out: {', '.join(package.passed_over)}."
    needed = [f"{name} {version}" for name, version in sorted(package.dependencies.items()) if not _is_base(name)]
    if needed:
        yield f"it depends on {', '.join(needed)}: load that too, if the server lacks it."


def _counted(members: Iterable[Member]) -> str:
    counts = Counter(member.resource["resourceType"] for member in members)
    return ", ".join(f"{number} {kind:.64}" for kind, number in sorted(counts.items()))


def _is_base(name: str) -> bool:
    return name in ("hl7.fhir.r4.core", "hl7.fhir.core")
