"""Many resources in few searches, none of them longer than servers take, none with a second page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from fhir_keta.server.lookup import by_id


class Asked:
    """A client that finds everything, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.searches: list[dict[str, str]] = []

    def search(self, resource_type: str, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
        self.searches.append(parameters)
        return ({"resourceType": resource_type, "id": each} for each in parameters["_id"].split(","))


@pytest.mark.parametrize(("length", "searches"), [(3, [50, 50, 20]), (64, [22, 22, 22, 22, 22, 10])])
def test_ids_go_in_as_few_searches_as_servers_take(length: int, searches: list[int]) -> None:
    """50 fill a page of a HAPI; a value of 64 letters and its comma (%2C) are 67, of which 22 make less than 1500."""
    ids = [f"{number:0{length}}" for number in range(120)]
    client: Any = Asked()
    assert list(by_id(client, "Patient", ids)) == ids
    assert [len(each["_id"].split(",")) for each in client.searches] == searches
    assert all(len(urlencode({"_id": each["_id"]})) < 1500 + len("_id=") for each in client.searches)
    assert all(int(each["_count"]) >= 50 for each in client.searches)
