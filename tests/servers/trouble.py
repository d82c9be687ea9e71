"""What tests of a client in trouble share: a clock that only waiting moves on, a token to renew, what to send."""

from __future__ import annotations

import json
from threading import Lock
from urllib.parse import urlencode

import requests

from fhir_keta.server.client import Client
from fhir_keta.server.retry import Retry
from tests.servers.faults import FaultServer
from tests.servers.wire import Resource, Wire, entry, name, patient, transaction

BUDGET = 120.0
_SYSTEM = "https://w3id.org/fhir-keta/example/faults"


class Time:
    """A clock that only waiting moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._lock = Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.waits.append(seconds)

    def clock(self) -> float:
        return self.now


class Token(requests.auth.AuthBase):
    """A bearer token that can be had anew from the server that takes it."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.token = server.token
        self.renewals = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def renew(self) -> None:
        self.renewals += 1
        self.token = self.server.token


def retrying(server: FaultServer, time: Time, budget: float = BUDGET) -> Client:
    return Client(server.url, timeout=20, retry=Retry(budget, sleep=time.sleep, clock=time.clock, chance=lambda: 0.0))


def body(resource: Resource) -> bytes:
    return json.dumps(resource).encode()


def identified() -> tuple[Resource, str]:
    """A resource, and the search that finds it."""
    value = name()
    return patient(identifier=[{"system": _SYSTEM, "value": value}]), urlencode({"identifier": f"{_SYSTEM}|{value}"})


def versions(wire: Wire, resource: Resource) -> int:
    answer = wire.send("GET", f"Patient/{resource['id']}/_history")
    return len(answer.json()["entry"]) if answer.status_code == 200 else 0


def puts(*resources: Resource) -> bytes:
    return body(transaction(*(entry("PUT", f"Patient/{each['id']}", each) for each in resources)))
