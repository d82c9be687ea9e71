"""Plain FHIR REST for the contract tests: what goes over the wire, without any of fhir_keta's own client."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import requests

from tests.servers.behaviour import Behaviour

Resource = dict[str, Any]


class Wire:
    """One server by its base URL, and what it is known to do; close it."""

    def __init__(self, url: str, does: Behaviour | None = None) -> None:
        self.url = url
        self.does = does or Behaviour()
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, method: str, path: str, body: Resource | bytes | None = None, **headers: str) -> requests.Response:
        """One request; header names with underscores, the body as a resource or as the bytes themselves."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
        if data is not None:
            sent["Content-Type"] = "application/fhir+json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self._session.request(method, f"{self.url}/{path}", data=data, headers=sent, timeout=120)

    def put(self, resource: Resource, **headers: str) -> requests.Response:
        return self.send("PUT", f"{resource['resourceType']}/{resource['id']}", resource, **headers)

    def get(self, path: str) -> Resource:
        """The resource at the path, which must be there."""
        response = self.send("GET", path)
        assert response.status_code == 200, response.text
        resource: Resource = response.json()
        return resource

    def found(self, search: str) -> list[Resource]:
        """The resources that a search gives, all pages."""
        resources = []
        bundle = self.get(search)
        while True:
            assert bundle["type"] == "searchset"
            resources += [entry["resource"] for entry in bundle.get("entry", ())]
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not following:
                return resources
            assert following[0].startswith(self.url)
            bundle = self.get(following[0].removeprefix(self.url).removeprefix("/"))

    def close(self) -> None:
        self._session.close()


def name(kind: str = "contract") -> str:
    """An id that no other test and no earlier run has used."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"


def patient(identity: str | None = None, **more: Any) -> Resource:
    resource: Resource = {"resourceType": "Patient", "active": True, **more}
    return resource if identity is None else {"resourceType": "Patient", "id": identity, "active": True, **more}


def observation(subject: str, identity: str | None = None, **more: Any) -> Resource:
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": subject},
        "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        **more,
    }
    return resource if identity is None else {"id": identity, **resource}


def code_system(identity: str, url: str, version: str, **more: Any) -> Resource:
    return {
        "resourceType": "CodeSystem",
        "id": identity,
        "url": url,
        "version": version,
        "status": "active",
        "content": "complete",
        "concept": [{"code": "a", "display": "A"}],
        **more,
    }


def transaction(*entries: Resource, kind: str = "transaction") -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(
    method: str, url: str, resource: Resource | None = None, full_url: str | None = None, **request: str
) -> Resource:
    made: Resource = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def etag(response: requests.Response) -> str:
    """The version in the ETag, which must be a weak one (RESTful API, Managing Resource Contention)."""
    found = re.fullmatch(r'W/"(.+)"', response.headers["ETag"])
    assert found, response.headers["ETag"]
    return found[1]


def place(location: str) -> str:
    """``Patient/a`` of a Location, with or without the base before it and the version behind."""
    found = re.search(r"([A-Za-z]+/[^/]+?)(/_history/[^/]+)?$", location)
    assert found, location
    return found[1]


def said(response: requests.Response) -> str:
    """The text of the OperationOutcome in a refusal; fails when there is none, or no error in it."""
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome", outcome
    errors = [issue for issue in outcome["issue"] if issue["severity"] in ("error", "fatal")]
    assert errors, outcome
    return " ".join(issue.get("diagnostics") or issue["details"]["text"] for issue in errors)


def content(resource: Resource) -> Resource:
    """The resource without what a server sets itself."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key in ("profile", "tag", "security")}
    rest = {key: value for key, value in resource.items() if key not in ("meta", "text")}
    return {**rest, "meta": meta} if meta else rest
