"""What the tests of uploads are made of: small resources, and what became of them in few words."""

from __future__ import annotations

import json
from typing import Any

from fhir_keta.records.source import Place, Record
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.plan import Plan, plan
from fhir_keta.server.result import Report

Resource = dict[str, Any]
PATIENT: Resource = {"resourceType": "Patient", "id": "p"}


def record(resource: Resource | str, path: str = "in.json", line: int | None = None) -> Record:
    text = resource if isinstance(resource, str) else json.dumps(resource)
    return Record(text.encode(), Place(path, line))


def code_system(**changes: Any) -> Resource:
    content = {"url": "http://example.org/levels", "version": "1", "status": "active", "content": "complete"}
    return {"resourceType": "CodeSystem", "id": "levels", **content, **changes}


def observation(identity: str, **changes: Any) -> Resource:
    return {"resourceType": "Observation", "id": identity, "status": "final", "code": {"text": "x"}, **changes}


def about(kind: str, identity: str) -> Resource:
    return {"reference": f"{kind}/{identity}"}


def bundle(*entries: Resource, kind: str = "transaction") -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def put(resource: Resource, full_url: str | None = None) -> Resource:
    entry = {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
    return {**entry, "fullUrl": full_url} if full_url else entry


def upload(client: Client, *sources: Resource | Record, overwrite: bool = False) -> Report:
    return apply(plan(sources, client, overwrite=overwrite), client)


def actions(planned: Plan) -> dict[str, str]:
    return {entry.incoming.label: entry.action for entry in planned.entries}


def statuses(report: Report) -> dict[str, str]:
    return {result.entry.incoming.label: result.status for result in report.results}


def stored_version(client: Client, kind: str, identity: str) -> str | None:
    found = client.read(kind, identity)
    return found["meta"]["versionId"] if found else None
