"""What the definitions of foreign extensions demand of the values that stand in records of base R4."""

from __future__ import annotations

from typing import Any

from tests.base_records import patient
from tests.foreign.case import BORN, HOLDS_ADULT, HOLDS_CHILD, URNS, ForeignCase, JsonObject, bundle
from tests.foreign.profiles import MILLIGRAMS
from tests.unit.made_profiles import MADE


def _case(name: str, resource: JsonObject, *errors: str) -> ForeignCase:
    return ForeignCase(f"extension: {name}", resource, frozenset(errors))


def _with(url: str, *contained: JsonObject, **value: Any) -> JsonObject:
    inside = {"contained": list(contained)} if contained else {}
    return patient(**inside, extension=[{"url": MADE + url, **value}])


def _named(**value: Any) -> JsonObject:
    """The extension that asks the record, further inside."""
    return {"name": [{"text": "x", "extension": [{"url": f"{MADE}record-rules", **value}]}]}


_INSIDE = {"valueReference": {"reference": "#p"}}
_BESIDE = {"valueReference": {"reference": URNS[1]}}
_EMPLOYER = {"resourceType": "Organization", "id": "p", "name": "x"}

EXTENSION_CASES = (
    _case("a constraint met", _with("extension-rules", valueString="ab")),
    _case("a constraint broken", _with("extension-rules", valueString="ba"), "x-1"),
    _case("a constraint on the value met", _with("value-rules", valueString="ab")),
    _case("a constraint on the value broken", _with("value-rules", valueString="ba"), "x-2"),
    _case("a constraint on the record met", {**_with("record-rules", valueString="x"), "active": True}),
    _case("a constraint on the record broken", _with("record-rules", valueString="x"), "x-3"),
    _case("a constraint on the record, further inside, met", patient(active=True, **_named(valueString="x"))),
    _case("a constraint on the record, further inside", patient(active=False, **_named(valueString="x")), "x-3"),
    _case("on the day", _with("since", valueDate="2020-01-01")),
    _case("before the day", _with("since", valueDate="2019-12-31"), "value-range"),
    _case("the least dose", _with("dose", valueQuantity={"value": 5, **MILLIGRAMS})),
    _case("less than the least dose", _with("dose", valueQuantity={"value": 4, **MILLIGRAMS}), "value-range"),
    _case("a type allowed, inside", _with("employer", _EMPLOYER, **_INSIDE)),
    _case("another type, inside", _with("employer", *HOLDS_ADULT, **_INSIDE), "reference-target"),
    _case("a type allowed, in a Bundle", bundle(_with("employer", **_BESIDE), _EMPLOYER)),
    _case("another type, in a Bundle", bundle(_with("employer", **_BESIDE), patient(id="q")), "reference-target"),
    _case("a profile met, inside", _with("guardian", *HOLDS_ADULT, **_INSIDE)),
    _case("a profile not met, inside", _with("guardian", *HOLDS_CHILD, **_INSIDE), "reference-profile"),
    _case("a profile met, in a Bundle", bundle(_with("guardian", **_BESIDE), patient(**BORN))),
    _case(
        "a profile not met, in a Bundle",
        bundle(_with("guardian", **_BESIDE), patient(active=True)),
        "reference-profile",
    ),
)
