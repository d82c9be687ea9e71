"""What is to be uploaded: definitions and records, each with the identity under which a server keeps it.

A definition is the same by url and version, a record by type and id; what cannot be told apart from its second upload
is refused here, before anything is sent.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeGuard
from urllib.parse import urlencode

from fhir_keta.errors import InputError
from fhir_keta.records.parse import ParseFault, check_depth
from fhir_keta.records.parse import parse as parse_quickly
from fhir_keta.records.source import Place, Record
from fhir_keta.server import exact_json
from fhir_keta.server.comparison import differences

Resource = dict[str, Any]

# FHIR R4, Resource index: the types with a canonical url
_CANONICAL_TYPES = re.compile(
    "ActivityDefinition|CapabilityStatement|ChargeItemDefinition|CodeSystem|CompartmentDefinition|ConceptMap|"
    "EffectEvidenceSynthesis|EventDefinition|Evidence|EvidenceVariable|ExampleScenario|GraphDefinition|"
    "ImplementationGuide|Library|Measure|MessageDefinition|OperationDefinition|PlanDefinition|Questionnaire|"
    "ResearchDefinition|ResearchElementDefinition|RiskEvidenceSynthesis|SearchParameter|StructureDefinition|"
    "StructureMap|TerminologyCapabilities|TestScript|ValueSet"
)
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9\-.]{1,64}")  # "." and ".." would be a way up in a URL
_SPLIT = ("transaction", "batch", "collection", "searchset")
STORED_WHOLE = ("document", "message")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Type/id, and URIs of any kind; neither has white space in it, and a time begins with a digit
_MAY_NAME = re.compile(r"[A-Za-z][^\s/:]*[/:]\S*")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One resource to upload; ``incoming`` makes it.

    ``text`` is its JSON as it can be sent. Parsed it would take several times that, so ``resource`` is made of it anew
    at each use. ``id`` is None where a condition takes its place, ``url`` where it is no definition; ``mentions`` is
    every string in it that may name a resource. ``condition`` is the search of a conditional create (``method`` POST)
    or update (PUT) inside a transaction; without one the resource is put under its own id.
    ``where`` is its entry, if it was read from a Bundle; ``digest`` the ``sha256`` of what it was before something in
    it was replaced.
    """

    type: str
    text: bytes
    id: str | None
    url: str | None
    version: str | None
    mentions: tuple[str, ...]
    place: Place | None = None
    method: str = "PUT"
    condition: str | None = None
    full_url: str | None = None
    where: str = ""
    digest: str | None = None

    @property
    def resource(self) -> Resource:
        """Its content, with every decimal as it was written."""
        parsed: Resource = exact_json.parse(self.text)
        return parsed

    @property
    def is_definition(self) -> bool:
        return self.url is not None

    @property
    def canonical(self) -> str | None:
        """``url|version`` of a definition (or its url when it has no version), None for a record."""
        return self.url if self.url is None or not self.version else f"{self.url}|{self.version}"

    @property
    def canonical_search(self) -> str:
        """The search that finds a definition: by url, and by version if it has one."""
        parts = {"url": self.url, "version": self.version}
        return urlencode([(name, value) for name, value in parts.items() if value is not None])

    @property
    def key(self) -> str:
        """What no second resource of the same upload may have with other content."""
        return f"{self.type} {self.canonical}" if self.canonical is not None else f"{self.type}/{self.id}"

    @property
    def label(self) -> str:
        """How the reports name it; not by its condition, which may hold a patient's identifier."""
        if self.id is not None:
            return f"{self.type}/{self.id}"
        if self.condition is None:
            return f"{self.type} {self.canonical}"
        return f"{self.type} of {_at(self.place)}{self.where}"

    @property
    def sha256(self) -> str:
        """The hash of its content as it was read, in hexadecimal."""
        return self.digest or hashlib.sha256(self.text).hexdigest()

    def with_resource(self, resource: Resource) -> Incoming:
        """The same resource of the same source, with something in it replaced."""
        return replace(self, text=exact_json.write(resource), mentions=_mentions(resource), digest=self.sha256)


def incoming(resource: Resource, place: Place | None = None, text: bytes | None = None, **request: Any) -> Incoming:
    """A resource as what is uploaded. ``text`` is the JSON it was read from, ``request`` what else ``Incoming`` has."""
    defines = is_definition(resource)
    return Incoming(
        sys.intern(str(resource["resourceType"])),
        exact_json.write(resource) if text is None else text.removeprefix(_BYTE_ORDER_MARK),
        resource.get("id") if request.get("condition") is None else None,
        resource["url"] if defines else None,
        resource.get("version") if defines else None,
        _mentions(resource),
        place,
        **request,
    )


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent in one request: a resource, or the entries of a transaction (``data``: that Bundle as read)."""

    items: tuple[Incoming, ...]
    transaction: bool = False
    data: bytes | None = None


def parcels(sources: Iterable[Resource | Record]) -> list[Parcel]:
    """What ``sources`` ask to be uploaded, in their order, each resource once.

    Raises InputError, naming the place, for what is not a FHIR resource, has no identity, or stands twice with
    different content.
    """
    found: list[Parcel] = []
    for source in sources:
        if isinstance(source, Record):
            found += _of_record(source)
        else:
            found.append(Parcel((_identified(source, None, "", None),)))
    return _each_once(found)


def is_definition(resource: Resource) -> bool:
    """Whether a resource defines something under a url."""
    return _CANONICAL_TYPES.fullmatch(str(resource["resourceType"])) is not None and isinstance(
        resource.get("url"), str
    )


def is_definition_type(resource_type: str) -> bool:
    """Whether resources of this type define something for others; a NamingSystem does, though R4 gives it no url."""
    return resource_type == "NamingSystem" or _CANONICAL_TYPES.fullmatch(resource_type) is not None


def strings(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Every string in a resource, with the name of its element, in its order."""
    found: list[tuple[str, str]] = []
    _collect(value, name, found)
    return found


def _collect(value: Any, name: str, found: list[tuple[str, str]]) -> None:
    if isinstance(value, str):
        found.append((name, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            _collect(item, key, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, name, found)


def _mentions(resource: Resource) -> tuple[str, ...]:
    """Each once, in its order; the same string is the same object, for systems and profiles stand in every record."""
    found = (text for _, text in strings(resource) if _MAY_NAME.fullmatch(text))
    return tuple(dict.fromkeys(map(sys.intern, found)))


def with_references(value: Any, new: Callable[[str], str | None]) -> Any:
    """A copy in which each literal reference, and each ``urn:`` string, that ``new`` knows is replaced."""
    if isinstance(value, dict):
        return {
            name: (new(item) or item)
            if isinstance(item, str) and (name == "reference" or item.startswith("urn:"))
            else with_references(item, new)
            for name, item in value.items()
        }
    return [with_references(item, new) for item in value] if isinstance(value, list) else value


def _of_record(record: Record) -> list[Parcel]:
    resource = _parsed(record)
    if not _is_resource(resource):
        raise InputError(f"{_at(record.place)}not a FHIR resource. Run fhir-keta validate on it.")
    if resource["resourceType"] != "Bundle" or resource.get("type") in STORED_WHOLE:
        return [Parcel((_identified(resource, record.place, "", record.data),))]
    kind = resource.get("type")
    if kind not in _SPLIT:
        raise InputError(
            f"{_at(record.place)}a Bundle of type {kind!s:.40} is not uploaded. Make it a transaction or a collection."
        )
    resource = exact_json.parse(record.data)  # its entries are written anew, so with all digits
    items = tuple(_of_entries(resource, record.place))
    if kind == "transaction":
        # a server resolves urn: addresses within a transaction, but takes absolute ones for references to elsewhere
        elsewhere = {item.full_url for item in items if item.full_url and not item.full_url.startswith("urn:")}
        as_read = not any(name == "reference" and text in elsewhere for name, text in strings(resource["entry"]))
        return [Parcel(items, transaction=True, data=record.data if as_read else None)] if items else []
    return [Parcel((item,)) for item in items]


def _parsed(record: Record) -> Any:
    """The record, parsed quickly where that says all there is to know: its numbers may have lost digits."""
    with suppress(ParseFault):
        resource = parse_quickly(record.data)
        check_depth(record.data, resource)
        return resource
    try:
        return exact_json.parse(record.data)
    except ValueError as error:
        raise InputError(f"{_at(record.place)}not JSON. Run fhir-keta validate on it.") from error


def _of_entries(bundle: Resource, place: Place) -> Iterator[Incoming]:
    items = []
    if not isinstance(bundle.get("entry", []), list):
        raise InputError(f"{_at(place)}Bundle.entry is not a list. Run fhir-keta validate on it.")
    for index, entry in enumerate(bundle.get("entry", ())):
        where = f"Bundle.entry[{index}] "
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(name, {}), dict) for name in ("resource", "request", "search")
        ):
            raise InputError(f"{_at(place)}{where}is not well-formed. Run fhir-keta validate on it.")
        if entry.get("search", {}).get("mode") != "outcome":
            items.append(_of_entry(entry, place, where, requested=bundle["type"] in ("transaction", "batch")))
    known = {item.full_url: f"{item.type}/{item.id}" for item in items if item.full_url and item.id}
    for item in items:
        if any(text in known for text in item.mentions):
            linked = with_references(item.resource, known.get)
            item = replace(item, text=exact_json.write(linked), mentions=_mentions(linked))
        yield item


def _of_entry(entry: Resource, place: Place, where: str, *, requested: bool) -> Incoming:
    resource, request = entry.get("resource"), entry.get("request", {})
    if not _is_resource(resource):
        raise InputError(f"{_at(place)}{where}has no resource: an upload only writes. Leave the entry out.")
    full_url = entry.get("fullUrl") if isinstance(entry.get("fullUrl"), str) else None
    if not requested:
        return replace(_identified(resource, place, where, None), full_url=full_url)
    method, (target, _, condition) = request.get("method"), str(request.get("url", "")).partition("?")
    kind = resource["resourceType"]
    if method == "PUT" and condition and target == kind:
        return incoming(resource, place, method="PUT", condition=condition, full_url=full_url, where=where.strip())
    if method == "POST" and target == kind and request.get("ifNoneExist"):
        condition = str(request["ifNoneExist"]).lstrip("?")
        return incoming(resource, place, method="POST", condition=condition, full_url=full_url, where=where.strip())
    if method == "PUT" and not condition:
        item = replace(_identified(resource, place, where, None), full_url=full_url)
        if target != f"{kind}/{item.id}":
            raise InputError(
                f"{_at(place)}{where}is put to another address than {kind} and its id. Correct request.url."
            )
        return item
    if method == "POST":
        raise InputError(
            f"{_at(place)}{where}is a POST without ifNoneExist: a second upload would store it twice. "
            "Give the resource an id and PUT it, or add ifNoneExist."
        )
    raise InputError(f"{_at(place)}{where}is not a PUT or POST: an upload only writes. Leave the entry out.")


def _is_resource(value: Any) -> TypeGuard[Resource]:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return isinstance(kind, str) and _TYPE.fullmatch(kind) is not None


def _identified(resource: Resource, place: Place | None, where: str, data: bytes | None) -> Incoming:
    item = incoming(resource, place, data)
    if "id" in resource and not (isinstance(item.id, str) and _ID.fullmatch(item.id)):
        raise InputError(
            f"{_at(place)}{where}the id of this {item.type} is not a FHIR id. Run fhir-keta validate on it."
        )
    if item.canonical is None and item.id is None:
        raise InputError(
            f"{_at(place)}{where}{item.type} has no id: give it one. Records are put under their id, so that a second "
            "upload changes nothing."
        )
    return item


def _each_once(found: Iterable[Parcel]) -> list[Parcel]:
    first: dict[str, Incoming] = {}
    kept = []
    for parcel in found:
        items = [item for item in parcel.items if item.condition is not None or not _repeats(item, first)]
        if len(items) == len(parcel.items):
            kept.append(parcel)
        elif items:
            kept.append(Parcel(tuple(items), parcel.transaction))
    return kept


def _repeats(item: Incoming, first: dict[str, Incoming]) -> bool:
    earlier = first.setdefault(item.key, item)
    if earlier is item:
        return False
    differing = differences(item.resource, earlier.resource, base="", by_canonical=item.is_definition)
    if differing:
        raise InputError(
            f"{_at(item.place)}{item.key} stands in {earlier.place.path if earlier.place else 'this upload'} too, with "
            f"other content ({differing[0]}). Keep one of the two."
        )
    return True


def _at(place: Place | None) -> str:
    if place is None:
        return ""
    return f"{place.path}:{place.line}: " if place.line is not None else f"{place.path}: "
