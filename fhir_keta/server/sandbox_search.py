"""Search in the sandbox: a few standard parameters, and every SearchParameter that was uploaded to it.

Expressions are the small part of FHIRPath that search parameters use: names, ``extension('url')``, ``value``,
``where(resolve() is Type)``, ``as``/``ofType`` and ``|``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fhir_keta.server.sandbox_store import Failure

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter: its type (token, uri, reference, string, date) and where its values stand."""

    type: str
    expression: str


# FHIR R4, Search Parameter Registry; "*" stands for every type
_STANDARD: Mapping[str, Mapping[str, Parameter]] = {
    "*": {
        "_id": Parameter("token", "id"),
        "_profile": Parameter("uri", "meta.profile"),
        "_tag": Parameter("token", "meta.tag"),
        "identifier": Parameter("token", "identifier"),
        "status": Parameter("token", "status"),
    },
    "definition": {
        "url": Parameter("uri", "url"),
        "version": Parameter("token", "version"),
        "name": Parameter("string", "name"),
        "title": Parameter("string", "title"),
    },
    "clinical": {
        "subject": Parameter("reference", "subject"),
        "patient": Parameter("reference", "subject.where(resolve() is Patient) | patient"),
        "encounter": Parameter("reference", "encounter | context"),
        "part-of": Parameter("reference", "partOf"),
        "based-on": Parameter("reference", "basedOn"),
    },
    "Observation": {
        "date": Parameter("date", "effective"),
        "code": Parameter("token", "code"),
        "category": Parameter("token", "category"),
        "derived-from": Parameter("reference", "derivedFrom"),
        "has-member": Parameter("reference", "hasMember"),
        "value-concept": Parameter("token", "value.ofType(CodeableConcept)"),
    },
    "QuestionnaireResponse": {
        "authored": Parameter("date", "authored"),
        "questionnaire": Parameter("reference", "questionnaire"),
        "author": Parameter("reference", "author"),
        "source": Parameter("reference", "source"),
    },
    "Procedure": {
        "date": Parameter("date", "performed"),
        "code": Parameter("token", "code"),
        "category": Parameter("token", "category"),
    },
    "Condition": {"code": Parameter("token", "code")},
    "MedicationAdministration": {
        "effective-time": Parameter("date", "effective"),
        "code": Parameter("token", "medication.ofType(CodeableConcept)"),
    },
    "AdverseEvent": {
        "date": Parameter("date", "date"),
        "event": Parameter("token", "event"),
        "actuality": Parameter("token", "actuality"),
    },
}
_IDENTIFIED_BY_URL = re.compile(
    r"StructureDefinition|ValueSet|CodeSystem|ConceptMap|Questionnaire|SearchParameter|ImplementationGuide|Library|"
    r"Measure|PlanDefinition|ActivityDefinition|OperationDefinition|CapabilityStatement|StructureMap|NamingSystem"
)


def parameters(resource_type: str, uploaded: Iterable[Resource]) -> dict[str, Parameter]:
    """The parameters that a search for this type may use; ``uploaded`` are the SearchParameters on the server."""
    kind = "definition" if _IDENTIFIED_BY_URL.fullmatch(resource_type) else "clinical"
    found = {**_STANDARD["*"], **_STANDARD[kind], **_STANDARD.get(resource_type, {})}
    for definition in uploaded:
        if definition.get("status") == "active" and resource_type in definition.get("base", ()):
            found[definition["code"]] = Parameter(definition["type"], definition.get("expression", ""))
    return found


def criteria(
    wanted: Iterable[tuple[str, str]], resource_type: str, known: Mapping[str, Parameter], base: str
) -> Callable[[Resource], bool]:
    """The test that a resource passes when it meets all of ``wanted`` (name, value); a comma in a value means "or".

    Raises Failure 400 for a parameter that is not known, a modifier, or a type of parameter that is not supported.
    """
    prepared = []
    for name, value in wanted:
        parameter = _parameter(name, resource_type, known)
        alternatives = [re.sub(r"\\(.)", r"\1", each) for each in re.split(r"(?<!\\),", value)]
        prepared.append((name, parameter.expression, _MATCH[parameter.type], alternatives))

    def meets(resource: Resource) -> bool:
        return all(
            any(match(value, each, name, base) for value in _values(resource, path) for each in alternatives)
            for name, path, match, alternatives in prepared
        )

    return meets


def ordering(name: str, resource_type: str, known: Mapping[str, Parameter]) -> Callable[[Resource], str]:
    """The sort key of a date or string parameter; what has no value comes first."""
    parameter = _parameter(name, resource_type, known)

    def key(resource: Resource) -> str:
        values = _values(resource, parameter.expression)
        dates = ((_period(value) or ("",))[0] for value in values)
        return min(dates, default="")

    if parameter.type != "date":
        raise Failure(400, "not-supported", f"The sandbox sorts by dates only, not by {name}")
    return key


def _parameter(name: str, resource_type: str, known: Mapping[str, Parameter]) -> Parameter:
    plain, _, modifier = name.partition(":")
    parameter = known.get(plain)
    if parameter is None:
        raise Failure(
            400,
            "processing",
            f'Unknown search parameter "{plain}" for resource type "{resource_type}". Valid search parameters for this '
            f"search are: {', '.join(sorted(known))}",
        )
    if parameter.type not in _MATCH or (modifier and not (parameter.type == "reference" and modifier.istitle())):
        raise Failure(400, "not-supported", f"The sandbox does not support the search parameter {name}")
    return parameter


def _values(resource: Resource, expression: str) -> Iterator[Any]:
    for alternative in expression.split(" | "):
        nodes: list[Any] = [resource]
        path = alternative.strip().removeprefix(f"{resource['resourceType']}.")
        for step in re.findall(r"(?:[^.(']|\([^)]*\)|'[^']*')+", re.sub(r"^\((.*)\)$", r"\1", path)):
            nodes = [found for node in nodes for found in _step(node, step.strip())]
        yield from nodes


def _step(node: Any, step: str) -> Iterator[Any]:
    if called := re.fullmatch(r"extension\('([^']+)'\)", step):
        yield from (item for item in node.get("extension", ()) if item.get("url") == called[1])
    elif called := re.fullmatch(r"where\(resolve\(\) is (\w+)\)", step):
        if isinstance(node, dict) and str(node.get("reference", "")).startswith(f"{called[1]}/"):
            yield node
    elif called := re.fullmatch(r"(?:ofType|as)\((\w+)\)", step):
        # _step "value" has left the JSON name behind: value.ofType(Coding) keeps what was valueCoding
        if isinstance(node, _Typed):
            yield from ([node.value] if node.type == called[1] else [])
        else:
            yield node
    else:
        name, _, cast = step.partition(" as ")
        holder = node.value if isinstance(node, _Typed) else node
        if not isinstance(holder, dict):
            return
        for key, item in holder.items():
            if key == name:
                yield from item if isinstance(item, list) else [item]
            elif key.startswith(name) and key[len(name) : len(name) + 1].isupper() and (not cast or key == name + cast):
                yield _Typed(key[len(name) :], item)


@dataclass(frozen=True, slots=True)
class _Typed:
    """The value of a choice element, with the type from its JSON name."""

    type: str
    value: Any


def _token(value: Any, wanted: str, _name: str, _base: str) -> bool:
    system, bar, code = wanted.rpartition("|")
    value = value.value if isinstance(value, _Typed) else value
    if isinstance(value, dict):
        codings = value.get("coding", [value])
        return any(
            code in ("", str(coding.get("code", coding.get("value"))))
            and (not bar or system == coding.get("system", ""))
            for coding in codings
        )
    text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return bool(text == (code if bar else wanted))


def _uri(value: Any, wanted: str, _name: str, _base: str) -> bool:
    return bool(value == wanted)


def _string(value: Any, wanted: str, _name: str, _base: str) -> bool:
    return isinstance(value, str) and value.casefold().startswith(wanted.casefold())


def _reference(value: Any, wanted: str, name: str, base: str) -> bool:
    if isinstance(value, str):  # a canonical: with its version, or any version when none is asked for
        return wanted in (value, value.partition("|")[0])
    target = str(value.get("reference", "")) if isinstance(value, dict) else ""
    wanted = wanted.removeprefix(f"{base}/")
    if "/" in wanted:
        return target == wanted
    kind = name.partition(":")[2] or ("Patient" if name == "patient" else "")
    return target == f"{kind}/{wanted}" if kind else target.rpartition("/")[2] == wanted


def _date(value: Any, wanted: str, _name: str, _base: str) -> bool:
    """Prefixes eq, lt, le, gt, ge over the spans that the two dates stand for (Search, date)."""
    prefix, text = (wanted[:2], wanted[2:]) if wanted[:2].isalpha() else ("eq", wanted)
    there, asked = _period(value), _period(text)
    if asked is None or prefix not in ("eq", "lt", "le", "gt", "ge"):
        raise Failure(400, "processing", f"Not a date that the sandbox can search for: {wanted}")
    if there is None:
        return False
    within = asked[0] <= there[0] and there[1] <= asked[1]
    before, after = there[0] < asked[0], there[1] > asked[1]
    return {"eq": within, "lt": before, "le": before or within, "gt": after, "ge": after or within}[prefix]


def _period(value: Any) -> tuple[str, str] | None:
    """First and last instant, in UTC, of a date, dateTime, instant or Period; None for anything else."""
    value = value.value if isinstance(value, _Typed) else value
    if isinstance(value, dict):
        start, end = _period(value.get("start")), _period(value.get("end"))
        return (start[0] if start else "0000", end[1] if end else "9999") if start or end else None
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}(-\d\d(-\d\d(T.+)?)?)?", value):
        return None
    if "T" not in value:
        return value + "-01-01"[len(value) - 4 :] + "T00", value + "-12-31"[len(value) - 4 :] + "T99"
    try:
        instant = datetime.fromisoformat(value).astimezone(UTC).isoformat(timespec="milliseconds")
    except ValueError:
        return None
    return instant, instant


_MATCH = {"token": _token, "uri": _uri, "string": _string, "reference": _reference, "date": _date}
