"""Bundles, each with the findings that the specification asks for."""

from __future__ import annotations

from tests.base_records import URN, case, observation, patient

BUNDLE_CASES = (
    case(
        "collection",
        {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": URN + "1", "resource": observation()}]},
    ),
    case(
        "fault in an entry",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": URN + "1", "resource": observation()},
                {"fullUrl": URN + "2", "resource": patient(gender="f")},
            ],
        },
        ("binding-required", "Bundle.entry[1].resource.gender"),
    ),
    case(
        "transaction without request",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": observation()}]},
        ("bdl-3", "Bundle"),
    ),
    case("total outside a search", {"resourceType": "Bundle", "type": "collection", "total": 1}, ("bdl-1", "Bundle")),
    case(
        "document without identifier",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"}],
        },
        ("bdl-5", "Bundle.entry[0]"),
    ),
)
