"""The contract of every server for searches (FHIR R4, Search: http://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

from urllib.parse import quote

from tests.servers.wire import Wire, code_system, name, observation, patient, said


def ids(resources: list[dict[str, object]]) -> set[object]:
    return {each["id"] for each in resources}


def test_a_definition_is_found_by_url_and_version(server: Wire) -> None:
    url = f"https://w3id.org/fhir-keta/contract/{name()}"
    first, second = code_system(name(), url, "1"), code_system(name(), url, "2")
    for resource in (first, second):
        server.put(resource)
    assert ids(server.found(f"CodeSystem?url={quote(url, safe='')}")) == {first["id"], second["id"]}
    assert ids(server.found(f"CodeSystem?url={url}&version=2")) == {second["id"]}
    assert server.found(f"CodeSystem?url={url}&version=3") == []
    assert server.found(f"CodeSystem?url={url}x") == []
    assert (server.found(f"CodeSystem?url={url[:-1]}") == []) is server.does.matches_whole_urls


def test_one_parameter_takes_several_values(server: Wire) -> None:
    resources = [patient(name()) for _ in range(3)]
    for resource in resources:
        server.put(resource)
    wanted = [str(each["id"]) for each in resources[:2]]
    assert ids(server.found(f"Patient?_id={','.join(wanted)}")) == set(wanted)


def test_a_search_says_how_many_and_which(server: Wire) -> None:
    resource = patient(name())
    server.put(resource)
    bundle = server.get(f"Patient?_id={resource['id']}")
    assert (bundle["type"], bundle["total"]) == ("searchset", 1)
    match = bundle["entry"][0]
    assert match["fullUrl"] == f"{server.url}/Patient/{resource['id']}"
    assert match["search"]["mode"] == "match"
    assert server.does.is_version(match["resource"]["meta"]["versionId"], 1)
    count = server.get(f"Patient?_id={resource['id']}&_summary=count")
    assert count["total"] == 1
    assert "entry" not in count


def test_pages_lead_to_everything(server: Wire) -> None:
    subject = patient(name())
    server.put(subject)
    made = [observation(f"Patient/{subject['id']}", name()) for _ in range(5)]
    for resource in made:
        server.put(resource)
    search = f"Observation?subject=Patient/{subject['id']}&_count=2"
    assert len(server.get(search)["entry"]) == 2
    found = server.found(search)
    assert len(found) == 5
    assert ids(found) == ids(made)


def test_records_are_found_by_what_they_say(server: Wire) -> None:
    subject = patient(name(), identifier=[{"system": "https://w3id.org/fhir-keta/example/contract", "value": name()}])
    made = observation(f"Patient/{subject['id']}", name())
    server.put(subject)
    server.put(made)
    own = f"subject=Patient/{subject['id']}"
    for criteria in (
        own,
        f"patient={subject['id']}",
        f"{own}&code=29463-7",
        f"{own}&code=http://loinc.org|29463-7",
        f"{own}&code=http://loinc.org|",
        f"{own}&status=final",
        f"{own}&code=0-0,29463-7",
    ):
        assert ids(server.found(f"Observation?{criteria}")) == {made["id"]}, criteria
    for criteria in (
        f"{own}x",
        f"{own}&code=http://snomed.info/sct|29463-7",
        f"{own}&code=|29463-7",
        f"{own}&status=preliminary",
    ):
        assert server.found(f"Observation?{criteria}") == [], criteria
    bare = ids(server.found(f"Observation?subject={subject['id']}"))
    assert bare == ({made["id"]} if server.does.searches_bare_ids else set())
    identifier = subject["identifier"][0]
    assert ids(server.found(f"Patient?identifier={identifier['system']}|{identifier['value']}")) == {subject["id"]}


def test_a_response_is_found_by_its_questionnaire(server: Wire) -> None:
    url = f"https://w3id.org/fhir-keta/contract/{name()}"
    made = {
        "resourceType": "QuestionnaireResponse",
        "id": name(),
        "questionnaire": f"{url}|1",
        "status": "completed",
    }
    server.put(made)
    assert ids(server.found(f"QuestionnaireResponse?questionnaire={url}|1")) == {made["id"]}
    assert server.found(f"QuestionnaireResponse?questionnaire={url}|2") == []


def test_a_search_may_be_posted(server: Wire) -> None:
    resource = patient(name())
    server.put(resource)
    body = f"_id={resource['id']}".encode()
    answer = server.send("POST", "Patient/_search", body, Content_Type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert [each["resource"]["id"] for each in answer.json()["entry"]] == [resource["id"]]


def test_an_unknown_parameter_is_refused(server: Wire) -> None:
    """R4 lets a server ignore it; a loader that trusted such an answer would take every resource for its own."""
    refused = server.send("GET", "Patient?no-such-parameter=1")
    if not server.does.refuses_unknown_parameters:
        assert refused.status_code == 200
        return
    assert refused.status_code == 400
    assert "no-such-parameter" in said(refused)
