"""The alerts that stand in the forms: the whole table, and each at, below and above its threshold and unanswered.

A condition that is true raises its alert; false raises none; empty means that it could not be evaluated, which is
never the same as no alert.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.forms import (
    ALERT,
    EXPERIENCES,
    FORMS,
    OTHER_EFFECTS,
    OWN,
    Answers,
    all_items,
    concepts,
    evaluate,
    extensions,
    form,
    met,
    respond,
)

SIDE_EFFECTS = ("nausea", "stomach-discomfort", "drowsiness", "fatigue", *OTHER_EFFECTS)
ITEM_9 = "44260-8"
NOT_AT_ALL, SEVERAL_DAYS, MORE_THAN_HALF, NEARLY_EVERY_DAY = "LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"
BOTH, ATTENTION, URGENT, TASK = ("attention", "urgent"), ("attention",), ("urgent",), ("attention + task",)

EXPECTED: dict[str, dict[str, tuple[str, ...]]] = {
    "phq-9": {ITEM_9: ("urgent + task", "attention")},
    "gad-7": {},
    "keta-before": {
        "psychosis-history": ATTENTION,
        "alcohol-or-drugs-today": ATTENTION,
        "fear": ATTENTION,
        "callback-wanted": ATTENTION,
    },
    "keta-during": {"overall-feeling": URGENT, "fear": URGENT, "infusion-request": BOTH, "nausea": TASK},
    "keta-after": {
        **dict.fromkeys((*SIDE_EFFECTS, "vomiting"), TASK),
        **dict.fromkeys(EXPERIENCES, BOTH),
        "mood-change": BOTH,
        "support-available": ATTENTION,
        "callback-wanted": ATTENTION,
    },
    "keta-discharge": dict.fromkeys(("driving-advice-understood", "escort-present", "callback-wanted"), ATTENTION),
    "keta-follow-up": {
        **dict.fromkeys((*SIDE_EFFECTS, "vomiting"), TASK),
        **dict.fromkeys(("effects-returned", "drove-early", "wants-to-talk", "callback-wanted"), ATTENTION),
        "mood-change": BOTH,
        "support-available": ATTENTION,
    },
}


def alerts(form_id: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """LinkId, level and the values by name of each alert."""
    for item in all_items(form(form_id)):
        for extension in extensions(item, ALERT):
            parts = {
                part["url"]: next(value for name, value in part.items() if name.startswith("value"))
                for part in extension["extension"]
            }
            yield item["linkId"], parts["level"], parts


def outcomes(form_id: str, answers: Answers) -> tuple[set[tuple[str, str]], set[str]]:
    """The alerts that are raised, and the linkIds of shown questions with an alert that could not be evaluated."""
    response = respond(form_id, answers)
    shown = met(form_id, answers)
    raised, unknown = set(), set()
    for link_id, level, parts in alerts(form_id):
        result = evaluate(parts["condition"]["expression"], response)
        assert result in ([True], [False], []), f"{form_id}#{link_id}: {result}"
        if result == [True]:
            raised.add((link_id, level))
        elif result == [] and link_id in shown:
            unknown.add(link_id)
    return raised, unknown


def raised(form_id: str, answers: Answers) -> set[tuple[str, str]]:
    """The alerts raised, those for a skipped item 9 aside."""
    return {alert for alert in outcomes(form_id, answers)[0] if alert != (ITEM_9, "attention")}


@pytest.mark.parametrize("form_id", FORMS)
def test_the_alerts_are_those_of_the_table(form_id: str) -> None:
    found: dict[str, tuple[str, ...]] = {}
    for link_id, level, parts in alerts(form_id):
        found[link_id] = (*found.get(link_id, ()), f"{level} + task" if parts.get("task") else level)
    assert found == EXPECTED[form_id]


@pytest.mark.parametrize("form_id", FORMS)
def test_an_alert_is_complete_and_about_its_own_item(form_id: str) -> None:
    for link_id, level, parts in alerts(form_id):
        assert level in concepts("keta-alert-level")
        assert parts["condition"]["language"] == "text/fhirpath"
        assert 20 <= len(parts["reason"]) <= 200
        named = set(re.findall(r"linkId='([^']+)'", parts["condition"]["expression"]))
        assert named <= {link_id, f"{link_id}.how-it-felt"}
        assert link_id in named


@pytest.mark.parametrize("form_id", FORMS)
def test_unanswered_is_not_evaluated_and_never_no_alert(form_id: str) -> None:
    found, unknown = outcomes(form_id, {})
    assert found == ({(ITEM_9, "attention")} if form_id == "phq-9" else set())
    assert unknown == set(EXPECTED[form_id]) & set(met(form_id, {}))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (NOT_AT_ALL, set()),
        (SEVERAL_DAYS, {(ITEM_9, "urgent")}),
        (MORE_THAN_HALF, {(ITEM_9, "urgent")}),
        (NEARLY_EVERY_DAY, {(ITEM_9, "urgent")}),
    ],
)
def test_item_9_of_phq_9(answer: str, expected: set[tuple[str, str]]) -> None:
    assert outcomes("phq-9", {ITEM_9: answer})[0] == expected


def test_a_skipped_item_9_is_reported_whatever_else_is_answered() -> None:
    assert outcomes("phq-9", {"44250-9": NEARLY_EVERY_DAY, "69722-7": "LA6572-7"})[0] == {(ITEM_9, "attention")}


def test_the_other_items_of_phq_9_raise_nothing() -> None:
    others = {item["linkId"]: NEARLY_EVERY_DAY for item in all_items(form("phq-9")) if item.get("prefix")}
    assert outcomes("phq-9", others | {ITEM_9: NOT_AT_ALL})[0] == set()


@pytest.mark.parametrize(
    ("form_id", "link_id", "answer", "level"),
    [
        ("keta-during", "infusion-request", "go-on", None),
        ("keta-during", "infusion-request", "slow", "attention"),
        ("keta-during", "infusion-request", "pause", "urgent"),
        ("keta-during", "infusion-request", "stop", "urgent"),
        ("keta-during", "overall-feeling", "very-unpleasant", "urgent"),
        ("keta-during", "overall-feeling", "unpleasant", None),
        ("keta-during", "overall-feeling", "very-pleasant", None),
        ("keta-during", "fear", 0, None),
        ("keta-during", "fear", 7, None),
        ("keta-during", "fear", 8, "urgent"),
        ("keta-during", "fear", 10, "urgent"),
        ("keta-during", "fear.declined", True, None),
        ("keta-during", "detachment", "extremely", None),
        ("keta-before", "fear", 7, None),
        ("keta-before", "fear", 8, "attention"),
        ("keta-before", "fear", 10, "attention"),
        ("keta-before", "earlier-reaction", "yes", None),
        ("keta-before", "sedative-today", "yes", None),
        *[
            (form_id, "mood-change", answer, level)
            for form_id in ("keta-after", "keta-follow-up")
            for answer, level in [
                ("very-much-worse", "urgent"),
                ("much-worse", "attention"),
                ("a-little-worse", None),
                ("no-change", None),
                ("a-little-better", None),
                ("much-better", None),
                ("very-much-better", None),
            ]
        ],
        *[
            (form_id, "vomiting", times, level)
            for form_id in ("keta-after", "keta-follow-up")
            for times, level in [(0, None), (2, None), (3, "attention"), (4, "attention")]
        ],
    ],
)
def test_one_answer(form_id: str, link_id: str, answer: Any, level: str | None) -> None:
    assert raised(form_id, {link_id: answer}) == ({(link_id, level)} if level else set())


@pytest.mark.parametrize(
    ("form_id", "link_id", "alarming"),
    [
        ("keta-before", "psychosis-history", "yes"),
        ("keta-before", "alcohol-or-drugs-today", "yes"),
        ("keta-follow-up", "effects-returned", "yes"),
        ("keta-follow-up", "drove-early", "yes"),
        ("keta-discharge", "escort-present", "no"),
        ("keta-discharge", "driving-advice-understood", "no"),
        ("keta-after", "support-available", "no"),
        ("keta-follow-up", "support-available", "no"),
    ],
)
def test_one_safety_statement(form_id: str, link_id: str, alarming: str) -> None:
    for answer in concepts("keta-yes-no"):
        expected = {(link_id, "attention")} if answer == alarming else set()
        assert raised(form_id, {link_id: answer}) == expected, answer


@pytest.mark.parametrize(
    ("form_id", "link_id"),
    [
        *[(form_id, "callback-wanted") for form_id in OWN if form_id != "keta-during"],
        ("keta-follow-up", "wants-to-talk"),
    ],
)
def test_one_wish(form_id: str, link_id: str) -> None:
    assert raised(form_id, {link_id: True}) == {(link_id, "attention")}
    assert raised(form_id, {link_id: False}) == set()


@pytest.mark.parametrize(
    ("form_id", "link_id"),
    [
        ("keta-during", "nausea"),
        *[(form_id, effect) for form_id in ("keta-after", "keta-follow-up") for effect in SIDE_EFFECTS],
    ],
)
def test_one_side_effect(form_id: str, link_id: str) -> None:
    threshold = 3 if link_id == "bladder-pain" else 4
    gate = {"other-effects": [link_id]} if link_id in OTHER_EFFECTS else {}
    for score, answer in enumerate(("not-at-all", "slightly", "moderately", "strongly", "extremely")):
        expected = {(link_id, "attention")} if score >= threshold else set()
        assert raised(form_id, gate | {link_id: answer}) == expected, answer


@pytest.mark.parametrize("link_id", EXPERIENCES)
def test_one_experience(link_id: str) -> None:
    levels = {
        ("strongly", "unpleasant"): "attention",
        ("strongly", "very-unpleasant"): "attention",
        ("extremely", "unpleasant"): "attention",
        ("extremely", "very-unpleasant"): "urgent",
    }
    for intensity in ("slightly", "moderately", "strongly", "extremely"):
        for felt in ("very-unpleasant", "unpleasant", "neutral", "pleasant", "very-pleasant"):
            level = levels.get((intensity, felt))
            answers = {link_id: intensity, f"{link_id}.how-it-felt": felt}
            assert raised("keta-after", answers) == ({(link_id, level)} if level else set()), (intensity, felt)


@pytest.mark.parametrize("link_id", EXPERIENCES)
def test_an_experience_without_how_it_felt(link_id: str) -> None:
    for intensity, unclear in [("not-at-all", False), ("moderately", False), ("strongly", True), ("extremely", True)]:
        found, unknown = outcomes("keta-after", {link_id: intensity})
        assert found == set()
        assert (link_id in unknown) == unclear, intensity


def test_alerts_do_not_hide_each_other() -> None:
    answers = {"overall-feeling": "very-unpleasant", "fear": 9, "infusion-request": "stop", "nausea": "extremely"}
    assert raised("keta-during", answers) == {
        ("overall-feeling", "urgent"),
        ("fear", "urgent"),
        ("infusion-request", "urgent"),
        ("nausea", "attention"),
    }


def test_a_form_of_a_site_may_move_a_question_into_a_group() -> None:
    response = respond("keta-during", {"infusion-request": "stop"})
    response["item"] = [{"linkId": "outer-group", "item": response["item"]}]
    conditions = [parts["condition"]["expression"] for link, _, parts in alerts("keta-during") if "request" in link]
    assert [evaluate(condition, response) for condition in conditions] == [[False], [True]]
