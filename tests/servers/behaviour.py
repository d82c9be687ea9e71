"""Where the servers of the contract differ: each fact is tested, on each server, by the test that reads it.

The defaults are what FHIR R4 asks for (RESTful API, http://hl7.org/fhir/R4/http.html) and, where that leaves a choice,
what HAPI does. What Medplum does is that of its router and its store in memory; where its whole server is known to do
better, the comment says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a server does. Every field is one decision; a status is that of the HTTP answer."""

    created_by_put: int = 201
    """PUT under an id that is not there (Update as Create)."""
    stale: int = 409
    """PUT with an If-Match that does not match any more."""
    deleted: int = 410
    """GET of what was deleted."""
    numbers_versions: bool = True
    """Versions are 1, 2, 3; else each is a UUID."""
    keeps_unchanged: bool = True
    """PUT of what is there already makes no new version."""
    names_versions: bool = True
    """Location has the version behind the id, and an update tells it too; entries of a transaction have an ETag."""
    keeps_digits: bool = True
    """70.50 is not stored as 70.5 (Data types, decimal)."""
    checks_references: bool = True
    """Nothing is stored that refers to nothing, nothing is deleted that something refers to."""
    checks_ids: bool = True
    """Ids that are none in FHIR, or that the server keeps for itself (digits alone), are refused."""
    code_systems_stand_once: bool = True
    """A second CodeSystem of the same url and version is refused."""
    validates: bool = True
    """``$validate`` is there."""
    undoes: bool = True
    """A transaction that is refused leaves nothing behind."""
    names_repeated: bool = True
    """A transaction that has a resource twice is refused with the name of the resource."""
    searches_bare_ids: bool = True
    """``subject=a`` finds what refers to ``Patient/a``."""
    matches_whole_urls: bool = True
    """A search by ``url`` finds that url only, not what begins like it (Search, uri)."""
    refuses_unknown_parameters: bool = True
    """A search by a parameter that the server does not know is an error."""

    def is_version(self, version: str, number: int) -> bool:
        """Whether this can be the name of the ``number``-th version of a resource."""
        return version == str(number) if self.numbers_versions else _UUID.fullmatch(version) is not None


BEHAVIOURS = {
    "sandbox": Behaviour(),
    "hapi": Behaviour(),
    "medplum": Behaviour(
        created_by_put=200,
        stale=412,
        deleted=404,  # the whole server: 410
        numbers_versions=False,
        keeps_unchanged=False,  # the whole server keeps the version
        names_versions=False,
        keeps_digits=False,  # JavaScript's numbers
        checks_references=False,  # the whole server does, where a project asks for it
        checks_ids=False,  # the whole server takes UUIDs only
        code_systems_stand_once=False,
        validates=False,  # the whole server has it
        undoes=False,  # the whole server does
        names_repeated=False,
        searches_bare_ids=False,
        matches_whole_urls=False,
        refuses_unknown_parameters=False,
    ),
}
