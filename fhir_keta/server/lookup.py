"""Asks a server for many resources in few searches, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

from fhir_keta.server.client import Client, Resource

_LONGEST_SEARCH = 1900  # some servers take no more than 2048 characters after the question mark
# a HAPI gives 50 to a page unless it is told otherwise, and a second page costs it five times the first
_MOST_VALUES = 50

Question = Callable[[], list[Resource]]


def asked(client: Client, questions: Iterable[Question], workers: int) -> Iterator[Resource]:
    """The answers to all questions, in their order, with at most ``workers`` on their way at a time.

    The next are asked while whoever wants them is busy with the ones before. Raises what a question raises; then, and
    on Ctrl-C, nothing more is asked.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="lookup")
    try:
        for answer in pool.map(_answer, questions):
            yield from answer
    except KeyboardInterrupt:
        client.retry.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def having(client: Client, resource_type: str, parameter: str, values: Iterable[str]) -> Iterator[Question]:
    """Questions for everything whose ``parameter`` is one of ``values``, as few as fit into URLs."""
    for searched in _searches(parameter, map(escaped, values)):
        yield partial(_all, client, resource_type, searched)


def having_token(
    client: Client, resource_type: str, parameter: str, tokens: Iterable[tuple[str, str]]
) -> Iterator[Question]:
    """Questions for everything whose ``parameter`` (type token) is one of these systems and codes."""
    for searched in _searches(parameter, (f"{escaped(system)}|{escaped(code)}" for system, code in tokens)):
        yield partial(_all, client, resource_type, searched)


def by_id(client: Client, ids: Mapping[str, Iterable[str]], *, page: bool = False) -> Iterator[Question]:
    """Questions for those of the ids, by type, that the server has. A Binary cannot be searched (RESTful API, Binary):
    it is read.

    ``page``: what does not fit into the first page of an answer may be missing from it; that is cheaper for a HAPI.
    """
    ask = _first_page if page else _all
    for kind, wanted in ids.items():
        if kind == "Binary":
            yield from reads(client, ((kind, each) for each in dict.fromkeys(wanted)))
        else:
            for searched in _searches("_id", wanted):
                yield partial(ask, client, kind, searched)


def reads(client: Client, addresses: Iterable[tuple[str, str]]) -> Iterator[Question]:
    """Questions for the resources of these types and ids, one by one."""
    for kind, identity in addresses:
        yield partial(_read, client, kind, identity)


def address_of(resource: Resource) -> tuple[str, str]:
    """The type and id under which a server has a resource."""
    return str(resource["resourceType"]), str(resource["id"])


def escaped(value: str) -> str:
    """A value within a search: a bare comma would read as "or" (Search, Escaping Search Parameters)."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")


def _searches(parameter: str, values: Iterable[str]) -> Iterator[dict[str, str]]:
    chunk: list[str] = []
    length = 0
    for value in [*dict.fromkeys(values), None]:
        added = len(quote(value, safe="")) + len("%2C") if value is not None else 0
        if chunk and (value is None or length + added > _LONGEST_SEARCH or len(chunk) == _MOST_VALUES):
            yield {parameter: ",".join(chunk), "_count": "200"}
            chunk, length = [], 0
        if value is not None:
            chunk.append(value)
            length += added


def _answer(question: Question) -> list[Resource]:
    return question()


def _all(client: Client, resource_type: str, searched: Mapping[str, str]) -> list[Resource]:
    return list(client.search(resource_type, searched))


def _first_page(client: Client, resource_type: str, searched: Mapping[str, str]) -> list[Resource]:
    return client.search_page(resource_type, searched)


def _read(client: Client, resource_type: str, resource_id: str) -> list[Resource]:
    found = client.read(resource_type, resource_id)
    return [found] if found is not None else []
