"""Make the example course in examples/: bundles, a bulk export and single files.

Re-run: ``python tools/make_examples.py [FOLDER]`` (default: examples). The plan of what happened is example_plan.py,
the texts and options come from profiles/. The output is the same, byte for byte, at every run. examples/invalid/ is not
made here: those files are written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import example_plan as plan
from example_answers import (
    INTERPRETATION,
    Answered,
    Resource,
    alert_reason,
    claim,
    observations,
    reference,
    response,
    table,
    without_nothing,
)
from example_plan import Session
from example_records import (
    CLINIC,
    CLINICIAN,
    EXAMPLE,
    NURSE,
    PATIENT,
    administration_record,
    adverse_event_record,
    at,
    concept,
    encounter_record,
    infusion_record,
    people,
    vital_signs,
)


class Clock:
    """Which span of time each recall means, as the course goes on."""

    def __init__(self) -> None:
        self.infusion: tuple[str, str] | None = None
        self.discharge: str | None = None
        self.last_form: str | None = None

    def periods(self, authored: str) -> dict[str, tuple[str, str]]:
        periods = {}
        if self.infusion:
            periods["infusion"] = self.infusion
        if self.discharge:
            periods["since-discharge"] = (self.discharge, authored)
            periods["since-last-form"] = (max(self.discharge, self.last_form or ""), authored)
        return periods


def session(one: Session, clock: Clock) -> Iterator[Resource]:
    """All records of an infusion, from the forms before it to the form a day later."""
    name = f"session-{one.number}"
    infusion, encounter = f"Procedure/{name}-infusion", f"Encounter/{name}-encounter"
    start, end = at(one.day, one.doses[0].start), at(one.day, one.doses[-1].end)
    clock.infusion = (start, end)
    yield encounter_record(one, name)
    yield infusion_record(name, encounter, start, end)
    for number, dose in enumerate(one.doses, 1):
        yield administration_record(one, f"{name}-administration-{number}", dose, infusion, encounter)
    yield from vital_signs(one, name, infusion, encounter)

    def answered(id_: str, form: str, when: str, point: str, author: str, source: str) -> Answered:
        return Answered(id_, form, when, point, PATIENT, author, source, infusion, encounter, clock.periods(when))

    yield from filled(
        answered(f"{name}-before", "keta-before", at(one.day, one.before), "baseline", PATIENT, PATIENT), plan.BEFORE
    )
    for minutes, time, answers in zip((15, 30), one.during, (plan.DURING_15, plan.DURING_30), strict=True):
        id_ = f"{name}-during-{minutes}"
        yield from filled(answered(id_, "keta-during", at(one.day, time), "during", NURSE, PATIENT), answers)
    yield from filled(
        answered(f"{name}-after", "keta-after", at(one.day, one.after), "recovery", PATIENT, PATIENT), plan.AFTER
    )
    for time in one.discharge:
        id_ = f"{name}-discharge" + ("" if time == one.discharge[-1] else "-refused")
        judged = answered(id_, "keta-discharge", at(one.day, time), "discharge", CLINICIAN, CLINICIAN)
        yield from filled(judged, plan.DISCHARGE)
    clock.discharge = at(one.day, one.discharge[-1])
    if one.number == 2:
        yield adverse_event_record(one, encounter)
    yield from follow_up(f"{name}-24h", at(*one.next_day.split("T")), "24h", infusion, plan.FOLLOW_UP, clock)


def filled(answered: Answered, answers: str) -> Iterator[Resource]:
    """A response, what it yields, and what its severe answers propose."""
    columns = table(answers)
    column = next(columns[name] for name in _columns(answered.id) if name in columns)
    completed = response(answered, column | plan.WORDS.get(answered.id, {}))
    yield completed
    found = observations(answered, completed)
    yield from found
    for observation in found:
        yield from proposals(answered, observation)


def _columns(id_: str) -> list[str]:
    """The columns that can hold a response's answers, its whole id first: session-2-discharge-refused, session-2."""
    parts = id_.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 1, -1)]


def follow_up(id_: str, when: str, point: str, infusion: str, answers: str, clock: Clock) -> Iterator[Resource]:
    """The keta-follow-up form, filled in at home."""
    periods = clock.periods(when)
    yield from filled(
        Answered(id_, "keta-follow-up", when, point, PATIENT, PATIENT, PATIENT, infusion, None, periods), answers
    )
    clock.last_form = when


def instruments(week: int, phq_9: str, gad_7: str, infusion: str | None) -> Iterator[Resource]:
    """PHQ-9 and GAD-7 of a week; those before the first infusion are the baseline and name no infusion."""
    point = "follow-up" if infusion else "baseline"
    for form, when, answers in (("phq-9", phq_9, plan.PHQ_9), ("gad-7", gad_7, plan.GAD_7)):
        authored = at(*when.split("T"))
        id_ = f"week-{week}-{form}"
        yield from filled(Answered(id_, form, authored, point, PATIENT, PATIENT, PATIENT, infusion, None, {}), answers)


def proposals(answered: Answered, observation: Resource) -> Iterator[Resource]:
    """The Flag and the Task that a positive PHQ-9 item 9 leads to, and the Task for an extreme side effect.

    Their words are the reason in the form's keta-alert.
    """
    extreme = observation.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code") == "extremely"
    positive = observation.get("interpretation", [{}])[0].get("coding", [{}])[0].get("system") == INTERPRETATION
    if positive:
        reason = alert_reason(answered.form, "44260-8")
        yield {
            "resourceType": "Flag",
            "id": observation["id"],
            "status": "active",
            "category": [concept("http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
            "code": {"coding": observation["code"]["coding"], "text": reason},
            "subject": reference(answered.subject),
            "period": {"start": answered.authored},
        }
        yield _task(answered, observation, "urgent", reason)
    elif extreme and observation["meta"] == claim("keta-side-effect"):
        reason = alert_reason(answered.form, observation["code"]["coding"][0]["code"])
        yield _task(answered, observation, "routine", reason)


def _task(answered: Answered, observation: Resource, priority: str, text: str) -> Resource:
    return {
        "resourceType": "Task",
        "id": observation["id"],
        "status": "requested",
        "intent": "proposal",
        "priority": priority,
        "description": text,
        "focus": reference(f"Observation/{observation['id']}"),
        "for": reference(answered.subject),
        "authoredOn": answered.authored,
        "owner": reference(CLINIC),
        "reasonReference": reference(f"QuestionnaireResponse/{answered.id}"),
    }


# ---- the course, and its files --------------------------------------------------------------------------------------


def course() -> dict[str, list[Resource]]:
    """The bundles by name, in the order in which they can be loaded: also that of their names."""
    clock = Clock()
    bundles: dict[str, list[Resource]] = {}
    weeks = {phq_9[:10]: (week, phq_9, gad_7) for week, phq_9, gad_7, _ in plan.WEEKS}
    infusion = None
    for one in plan.SESSIONS:
        records = people() if one.number == 1 else []
        if one.day in weeks:
            records += instruments(*weeks[one.day], infusion)
        records += session(one, clock)
        infusion = f"Procedure/session-{one.number}-infusion"
        bundles[f"session-{one.number}"] = records
    assert infusion is not None
    for week, phq_9, gad_7, form in plan.WEEKS:
        if form:
            records = list(instruments(week, phq_9, gad_7, infusion))
            when = at(*form.split("T"))
            records += follow_up(f"week-{week}-follow-up", when, "follow-up", infusion, plan.WEEKLY, clock)
            bundles[f"week-{week}"] = records
    return {name: [without_nothing(record) for record in records] for name, records in bundles.items()}


def transaction(name: str, records: list[Resource]) -> Resource:
    """One transaction that puts each record under its own id: loading it again changes nothing."""
    entries = []
    for record in records:
        target = f"{record['resourceType']}/{record['id']}"
        entries.append({"fullUrl": EXAMPLE + target, "resource": record, "request": {"method": "PUT", "url": target}})
    return {"resourceType": "Bundle", "id": name, "type": "transaction", "entry": entries}


def files() -> dict[str, str]:
    """Every made file, by its path below examples/."""
    bundles = course()
    records = [record for bundle in bundles.values() for record in bundle]
    made = {f"course/{name}.json": pretty(transaction(name, bundle)) for name, bundle in bundles.items()}
    for record in records:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        path = f"export/{record['resourceType']}.ndjson"
        made[path] = made.get(path, "") + line
    by_name = {f"{record['resourceType']}/{record['id']}": record for record in records}
    return made | {path: pretty(by_name[name]) for path, name in plan.SINGLES.items()}


def pretty(resource: Resource) -> str:
    return json.dumps(resource, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "examples"
    for path, text in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
