"""An upload that is killed at any moment, resumed, and taken back: nothing lost, nothing twice, nothing else touched.

FHIR_KETA_KILLS says how many uploads are killed on a sandbox of their own (on each other server a fifth of that).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.server.comparison import differences
from fhir_keta.server.identity import SOURCE_SYSTEM
from fhir_keta.server.journal import read
from tests.servers.killed import NEVER, Moment, drawn
from tests.servers.wire import Wire, name

Resource = dict[str, Any]
KILLS = int(os.environ.get("FHIR_KETA_KILLS", "6"))
SYSTEM = "https://w3id.org/fhir-keta/test/killed"
_SANDBOX = """
import sys
from fhir_keta.server.sandbox import Sandbox
with Sandbox() as sandbox:
    print(sandbox.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[str]:
    """The base URL of a sandbox in a process of its own."""
    command = [sys.executable, "-c", _SANDBOX]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


@dataclass
class Upload:
    """What is there before, with its versions; what is to be uploaded, what of it is an update, what stays as it is."""

    folder: Path
    unique: str
    before: list[Resource] = field(default_factory=list)
    sources: list[Resource] = field(default_factory=list)
    updated: str = ""
    unchanged: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        for number, resource in enumerate(self.sources):
            (self.folder / f"{number:03}.json").write_text(json.dumps(resource))

    @property
    def resources(self) -> list[Resource]:
        """All that is to be stored under an id of ours."""
        bundled = [entry["resource"] for each in self.sources for entry in each.get("entry", ())]
        return [each for each in [*self.sources, *bundled] if each["resourceType"] != "Bundle" and "id" in each]


def address(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def patient(identity: str, **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": identity, **more}


def observation(identity: str, subject: str, **more: Any) -> Resource:
    code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    of = {"status": "final", "code": code, "subject": {"reference": subject}}
    return {"resourceType": "Observation", "id": identity, **of, **more}


def prepared(folder: Path, server: Wire) -> Upload:
    """Definitions, records with references, a circle, and a transaction with a conditional create."""
    made = Upload(folder, name("killed"))
    own = made.unique
    stranger = observation(f"{own}-stranger", f"Patient/{own}-p0")
    made.before = [patient(f"{own}-p0"), patient(f"{own}-p1"), stranger]
    made.unchanged, made.updated = f"Patient/{own}-p0", f"Patient/{own}-p1"
    for resource in made.before:
        assert server.put(resource).status_code == server.does.created_by_put
        made.versions[address(resource)] = server.get(address(resource))["meta"]["versionId"]
    url = f"https://w3id.org/fhir-keta/test/CodeSystem/{own}"
    system = {"resourceType": "CodeSystem", "id": own, "url": url, "version": "1", "status": "active"}
    made.sources = [
        {**system, "content": "complete", "concept": [{"code": "low"}]},
        patient(f"{own}-p0"),
        patient(f"{own}-p1", gender="other"),
        *(patient(f"{own}-p{number}") for number in range(2, 5)),
        *(observation(f"{own}-o{number}", f"Patient/{own}-p{number % 5}") for number in range(8)),
        *(
            patient(f"{own}-{a}", link=[{"other": {"reference": f"Patient/{own}-{b}"}, "type": "seealso"}])
            for a, b in ("xy", "yx")
        ),
        bundle(own),
    ]
    made.write()
    return made


def bundle(own: str) -> Resource:
    """A patient who is created only if their identifier is not known, and an observation of them."""
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    person = {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": own}]}
    create = {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={SYSTEM}|{own}"}
    seen = observation(f"{own}-seen", placeholder)
    put = {"method": "PUT", "url": address(seen)}
    entries = [{"fullUrl": placeholder, "resource": person, "request": create}, {"resource": seen, "request": put}]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def keta(moment: Moment, *arguments: str | Path) -> int:
    """How a run ended: its exit code, or -9 if it was killed."""
    command = [sys.executable, "-m", "tests.servers.killed", *str(moment).split(), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.returncode in (0, 1, -9), ended.stderr
    return ended.returncode


def check_uploaded(made: Upload, server: Wire) -> None:
    """Every resource is there, once, and was written once; where writing the same again is seen, that is looked at."""
    created = server.found(f"Patient?identifier={SYSTEM}|{made.unique}")
    assert len(created) == 1
    for resource in made.resources:
        stored = server.get(address(resource))
        wanted = resource
        if resource["id"].endswith("-seen"):
            wanted = {**resource, "subject": {"reference": address(created[0])}}
        assert not differences(wanted, stored, base=server.url, by_canonical=False), address(resource)
        if server.does.keeps_unchanged:
            assert stored["meta"]["versionId"] == ("2" if address(resource) == made.updated else "1"), address(resource)


def check_taken_back(made: Upload, server: Wire) -> None:
    """What the upload created is gone, what was there before is as it was, but for what was updated."""
    for resource in made.resources:
        if address(resource) not in made.versions:
            assert server.send("GET", address(resource)).status_code in (404, 410), address(resource)
    assert server.found(f"Patient?identifier={SYSTEM}|{made.unique}") == []
    for each, version in made.versions.items():
        assert (server.get(each)["meta"]["versionId"] == version) is (each != made.updated)


def found_again(made: Upload, server: Wire) -> dict[str, list[Resource]]:
    """What a server that gives its own ids has of each record, by the address it has with us."""
    return {
        address(each): server.found(f"{each['resourceType']}?_tag={SOURCE_SYSTEM}|{made.unique}/{each['id']}")
        for each in made.resources
        if each["resourceType"] != "CodeSystem"
    }


def killed_where_the_server_gives_the_ids(seed: int, url: str, folder: Path) -> None:
    """Every record is created, for none has its tag; what is sent twice is there twice."""
    chance = random.Random(seed)
    server = Wire(url)
    sources = folder / "sources"
    sources.mkdir()
    made = prepared(sources, server)
    made.sources = [each for each in made.sources if each["resourceType"] != "Bundle" and "link" not in each]
    for file in sources.iterdir():
        file.unlink()
    made.write()
    journal = folder / "journal"
    options = ["--server", url, "--ids", "server", "--source", made.unique]
    options += ["--workers", str(chance.choice((1, 4))), "--batch-size", str(chance.choice((1, 4)))]
    moments = kill_until_done(chance, ["upload", sources, *options], journal)
    found = found_again(made, server)
    assert {len(each) for each in found.values()} == {1}, moments
    for resource in made.resources:
        if "subject" in resource:
            (stored,), (subject,) = found[address(resource)], found[resource["subject"]["reference"]]
            assert stored["subject"] == {"reference": address(subject)}, moments
    assert {sent.status for sent in read(journal).sent.values()} == {"created"}, moments
    while keta(drawn(chance, 12), "remove", "--journal", journal, "--server", url, "--yes") == -9:
        pass
    assert {len(each) for each in found_again(made, server).values()} == {0}, moments
    assert {server.get(address(each))["meta"]["versionId"] for each in made.before} == {"1"}
    server.close()


def kill_until_done(chance: random.Random, command: list[str | Path], journal: Path) -> list[Moment]:
    """Up to three runs that are killed, and one that is not; gives the moments."""
    moments = []
    for _ in range(chance.randint(1, 3)):
        moments.append(drawn(chance, 25))
        if keta(moments[-1], *command, "--resume" if journal.exists() else "--journal", journal) != -9:
            break
    assert keta(NEVER, *command, "--resume" if journal.exists() else "--journal", journal) == 0, moments
    return moments


def killed_and_resumed(seed: int, server: Wire, folder: Path) -> None:
    chance, url = random.Random(seed), server.url
    sources = folder / "sources"
    sources.mkdir()
    made = prepared(sources, server)
    journal = folder / "journal"
    options = ["--server", url, "--workers", str(chance.choice((1, 4))), "--batch-size", str(chance.choice((1, 4)))]
    moments = kill_until_done(chance, ["upload", sources, *options], journal)
    check_uploaded(made, server)
    known = read(journal).sent
    assert None not in {sent.status for sent in known.values()}
    assert sum(sent.status == "created" for sent in known.values()) == len(made.resources) - 1, moments
    while keta(moment := drawn(chance, 12), "remove", "--journal", journal, "--server", url, "--yes") == -9:
        moments.append(moment)
    check_taken_back(made, server)


@pytest.mark.parametrize("seed", range(KILLS))
def test_nothing_is_lost_and_nothing_doubled(seed: int, own_sandbox: str, tmp_path: Path) -> None:
    server = Wire(own_sandbox)
    killed_and_resumed(seed, server, tmp_path)
    server.close()


@pytest.mark.parametrize("seed", range(500, 500 + max(1, KILLS // 3)))
def test_nothing_is_doubled_where_the_server_gives_the_ids(seed: int, own_sandbox: str, tmp_path: Path) -> None:
    killed_where_the_server_gives_the_ids(seed, own_sandbox, tmp_path)


@pytest.mark.parametrize("seed", range(1000, 1000 + max(1, KILLS // 5)))
def test_nothing_is_lost_and_nothing_doubled_on_any_server(seed: int, server: Wire, tmp_path: Path) -> None:
    killed_and_resumed(seed, server, tmp_path)
