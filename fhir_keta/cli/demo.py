"""``fhir-keta demo``: the whole job, seen once, on a sandbox server that lives inside this command."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhir_keta.errors import KetaError

if TYPE_CHECKING:
    from fhir_keta.server.client import Client
    from fhir_keta.server.plan import Plan
    from fhir_keta.validation.validator import Validator

Resource = dict[str, Any]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

PHQ_9, GAD_7, ITEM_9 = "44261-6", "70274-6", "44260-8"
PATIENT = "Patient/keta-example-patient"
FOLDERS = ("course", "export", "observations", "records", "responses")


@click.command()
def demo() -> None:
    """Validate, upload and read back one synthetic course of six infusions.

    Runs without network, Java or Node: the server is this package's sandbox, in memory, on this machine only.
    """
    from fhir_keta.definitions.package_build import published
    from fhir_keta.server.client import Client
    from fhir_keta.server.sandbox import Sandbox
    from fhir_keta.validation.validator import Validator

    started = time.monotonic()
    if not EXAMPLES.is_dir():
        raise KetaError("This installation lacks its examples folder. Install fhir-keta again.")
    definitions = published()
    validator = Validator()

    _head("1. Validate")
    _validate(validator, definitions)

    with Sandbox() as sandbox, Client(sandbox.url) as client:
        _head(f"2. Upload to a sandbox FHIR server ({sandbox.url}, in memory)")
        _upload("definitions", definitions, client)
        _upload("definitions again", definitions, client)
        _upload("course", _records("course"), client)
        _upload("course again", _records("course"), client)

        _head("3. Read back from the server: what a reader should notice")
        _notice(client)
    click.echo(f"\nDone in {time.monotonic() - started:.1f} s. The sandbox and everything in it is gone.")
    click.echo("Next: fhir-keta validate YOUR-FILES, then fhir-keta upload --server URL --dry-run")


def _head(text: str) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}")


def _records(*folders: str) -> Iterator[Any]:
    from fhir_keta.records.source import read

    return read([str(EXAMPLES / folder) for folder in folders])


def _validate(validator: Validator, definitions: list[Resource]) -> None:
    from fhir_keta.reporting.checking import results
    from fhir_keta.reporting.result import Counts

    wrong = sum(bool(validator.check(definition)) for definition in definitions)
    click.echo(f"definitions        {len(definitions):4} checked, {wrong} with findings")
    counts = Counts()
    for result in results(_records(*FOLDERS), validator.check):
        counts.add(result)
    click.echo(f"example records    {counts.records:4} checked, {counts.errors} errors, {counts.warning} warnings")
    if wrong or counts.errors:
        raise KetaError("The examples do not hold here. Run fhir-keta validate on them to see where.")
    response = json.loads((EXAMPLES / "responses" / "phq-9.json").read_bytes())
    _tamper(response)
    for issue in validator.check(json.dumps(response).encode()):
        click.echo(f"a wrong PHQ-9 total is found: [{issue.rule}] {issue.message}")


def _tamper(response: Resource) -> None:
    """Give the PHQ-9 total one point too many."""
    for item in response["item"]:
        for each in (item, *item.get("item", ())):
            if each["linkId"] == "phq-9.total":
                each["answer"][0]["valueInteger"] += 1


def _upload(name: str, sources: Iterable[Any], client: Client) -> None:
    from fhir_keta.server.apply import apply
    from fhir_keta.server.plan import plan

    planned: Plan = plan(sources, client)
    report = apply(planned, client)
    if not report.complete:
        raise KetaError(f"The sandbox did not take the {name}. Run fhir-keta upload to see which and why.")
    said = ", ".join(f"{number} {status}" for status, number in sorted(report.counts().items()))
    click.echo(f"{name:18} {len(planned.entries):4} planned: {said}")


def _notice(client: Client) -> None:
    _scores(client)
    for observation in _found(client, "Observation", code=f"http://loinc.org|{ITEM_9}"):
        if observation.get("interpretation"):
            flags = [f"Flag ({flag['status']})" for flag in _found(client, "Flag", subject=PATIENT)]
            tasks = [f"Task ({task['priority']})" for task in _found(client, "Task", _id=observation["id"])]
            click.echo(
                f"! {_day(observation)}  PHQ-9 item 9 above zero ({_text(observation)}), interpretation "
                f"{observation['interpretation'][0]['coding'][0]['code']}: {', '.join([*flags, *tasks])}"
            )
    for event in _found(client, "AdverseEvent", subject=PATIENT):
        actions = [each["valueCodeableConcept"]["coding"][0]["display"].lower() for each in event["extension"]]
        click.echo(
            f"! {event['date'][:10]}  adverse event: {event['event']['coding'][0]['display'].lower()}, "
            f"{event['severity']['coding'][0]['display'].lower()}; {', '.join(actions)}"
        )
    readiness = list(_found(client, "Observation", code="discharge-readiness"))
    for refused in (each for each in readiness if each["valueBoolean"] is False):
        when = refused["effectiveDateTime"]
        granted = [
            each["effectiveDateTime"][11:16]
            for each in readiness
            if each["valueBoolean"] and _day(each) == _day(refused)
        ]
        click.echo(f"! {when[:10]}  discharge refused at {when[11:16]}, granted at {', '.join(granted)}")
    for observation in _found(client, "Observation", code="new-perspectives"):
        for component in observation.get("component", ()):
            if "valueString" in component:
                click.echo(f"  {_day(observation)}  in the patient's own words: “{component['valueString']}”")


def _scores(client: Client) -> None:
    for code, name, highest in ((PHQ_9, "PHQ-9", 27), (GAD_7, "GAD-7", 21)):
        scores = _by_time(_found(client, "Observation", code=f"http://loinc.org|{code}"))
        first = scores[0]["valueInteger"]
        click.echo(f"  {name} total of {highest}, two weeks up to the day")
        for score in scores:
            value = score["valueInteger"]
            halved = "   at most half of the first: a response" if name == "PHQ-9" and value * 2 <= first else ""
            click.echo(f"    {_day(score)}  {value:2} {'█' * value}{halved}")


def _found(client: Client, resource_type: str, **parameters: str) -> Iterator[Resource]:
    return client.search(resource_type, parameters)


def _by_time(observations: Iterable[Resource]) -> list[Resource]:
    return sorted(observations, key=_day)


def _day(observation: Resource) -> str:
    period = observation.get("effectivePeriod", {})
    moment: str = observation.get("effectiveDateTime") or period.get("end") or period.get("start", "")
    return moment[:10]


def _text(observation: Resource) -> str:
    return str(observation["valueCodeableConcept"]["coding"][0]["display"]).lower()
