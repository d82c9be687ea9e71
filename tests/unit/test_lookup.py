"""Many resources in few searches, none of them longer than servers take, none with a second page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest

from fhir_keta.errors import ServerError
from fhir_keta.server.lookup import asked, by_id


class Asked:
    """A client that finds everything, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.searches: list[dict[str, str]] = []

    def search(self, resource_type: str, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
        self.searches.append(parameters)
        return ({"resourceType": resource_type, "id": each} for each in parameters["_id"].split(","))


@pytest.mark.parametrize(("length", "searches"), [(3, [50, 50, 20]), (64, [28, 28, 28, 28, 8])])
def test_ids_go_in_as_few_searches_as_servers_take(length: int, searches: list[int]) -> None:
    """50 fill a page of a HAPI; a value of 64 letters and its comma (%2C) are 67, of which 28 make less than 1900."""
    ids = [f"{number:0{length}}" for number in range(120)]
    client: Any = Asked()
    found = asked(client, by_id(client, {"Patient": ids}), 1)
    assert [resource["id"] for resource in found] == ids
    assert [len(each["_id"].split(",")) for each in client.searches] == searches
    assert all(len(urlencode({"_id": each["_id"]})) < 1900 + len("_id=") for each in client.searches)
    assert all(int(each["_count"]) >= 50 for each in client.searches)


def test_as_many_are_asked_at_a_time_as_there_are_workers_and_answers_keep_their_order() -> None:
    together = Barrier(3)

    def question(number: int) -> list[dict[str, Any]]:
        together.wait(30)  # goes on when three are on their way
        return [{"id": str(number)}]

    client: Any = Asked()
    found = asked(client, [partial(question, number) for number in range(6)], 3)
    assert [resource["id"] for resource in found] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_error_ends_the_asking(workers: int) -> None:
    begun = []

    def question(number: int) -> list[dict[str, Any]]:
        begun.append(number)
        if number == 0:
            raise ServerError("gone")
        return []

    client: Any = Asked()
    with pytest.raises(ServerError, match="gone"):
        list(asked(client, [partial(question, number) for number in range(1000)], workers))
    assert len(begun) < 1000
