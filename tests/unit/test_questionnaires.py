"""The forms: what each asks and says, and that every renderer, extractor and reader finds what it needs in them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.forms import (
    BASE,
    CALCULATED,
    CORE,
    EXPERIENCES,
    EXTRACT,
    FORMS,
    INSTRUMENTS,
    OTHER_EFFECTS,
    OWN,
    RECALL,
    all_items,
    concepts,
    extensions,
    form,
    is_question,
    items_by_link_id,
    met,
    questions,
)

CONCEPTS = BASE + "CodeSystem/keta-concepts"
SCORED = ("keta-intensity", "keta-how-it-felt", "keta-change")
RATING_TOPS = {"phq-9.total": 27, "gad-7.total": 21, "vomiting": 99}
COMPONENTS = {"how-it-felt", "how-long", "in-own-words", "ongoing", "declined", "other-effects", "oriented", "steady"}
COMPONENTS |= {"vitals-acceptable", "escort", "instructions", "driving-advice"}

# What each form asks, from the clinical content: which concept is asked in which form.
ASKED = {
    "keta-before": "earlier-reaction psychosis-history sedative-today alcohol-or-drugs-today fear mood relaxation "
    "concern callback-wanted",
    "keta-during": "overall-feeling fear infusion-request nausea detachment",
    "keta-after": "nausea vomiting stomach-discomfort drowsiness fatigue other-effects headache dizziness "
    "blurred-vision numbness unsteadiness palpitations bladder-pain nightmares memory-gaps body-detachment "
    "surroundings-detachment time-perception space-perception self-perception floating visual-effects "
    "auditory-effects emotional-release new-perspectives mood mood-change relaxation clarity clarity-change "
    "support-available concern callback-wanted",
    "keta-discharge": "instructions-understood driving-advice-understood contact-known escort-present concern "
    "callback-wanted discharge-readiness",
    "keta-follow-up": "effects-returned drove-early vomiting stomach-discomfort other-effects headache dizziness "
    "blurred-vision numbness unsteadiness palpitations bladder-pain nightmares memory-gaps nausea drowsiness fatigue "
    "mood relaxation clarity mood-change clarity-change mood-benefit-noticed mood-benefit-first-day "
    "mood-benefit-still-there mood-benefit-last-day time-to-process shared-experience wants-to-talk support-available "
    "concern callback-wanted",
}
# The instruments as printed, read from published copies: stem, items and the LOINC code of each.
PHQ_9 = [
    ("44250-9", "Little interest or pleasure in doing things"),
    ("44255-8", "Feeling down, depressed, or hopeless"),
    ("44259-0", "Trouble falling or staying asleep, or sleeping too much"),
    ("44254-1", "Feeling tired or having little energy"),
    ("44251-7", "Poor appetite or overeating"),
    (
        "44258-2",
        "Feeling bad about yourself — or that you are a failure or have let yourself or your family down",
    ),
    ("44252-5", "Trouble concentrating on things, such as reading the newspaper or watching television"),
    (
        "44253-3",
        "Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety or "
        "restless that you have been moving around a lot more than usual",
    ),
    ("44260-8", "Thoughts that you would be better off dead or of hurting yourself in some way"),
]
GAD_7 = [
    ("69725-0", "Feeling nervous, anxious or on edge"),
    ("68509-9", "Not being able to stop or control worrying"),
    ("69733-4", "Worrying too much about different things"),
    ("69734-2", "Trouble relaxing"),
    ("69735-9", "Being so restless that it is hard to sit still"),
    ("69689-8", "Becoming easily annoyed or irritable"),
    ("69736-7", "Feeling afraid as if something awful might happen"),
]
FREQUENCIES = [
    ("LA6568-5", "Not at all", 0),
    ("LA6569-3", "Several days", 1),
    ("LA6570-1", "More than half the days", 2),
    ("LA6571-9", "Nearly every day", 3),
]
DIFFICULTIES = [
    ("LA6572-7", "Not difficult at all"),
    ("LA6573-5", "Somewhat difficult"),
    ("LA6575-0", "Very difficult"),
    ("LA6574-3", "Extremely difficult"),
]
NOTICE = (
    "Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an educational grant "
    "from Pfizer Inc. No permission required to reproduce, translate, display or distribute."
)


def value(element: dict[str, Any], url: str) -> Any:
    """The value of an element's one extension with this url, or None."""
    found = [v for e in extensions(element, url) for name, v in e.items() if name.startswith("value")]
    assert len(found) <= 1
    return found[0] if found else None


def options(item: dict[str, Any]) -> list[tuple[str, str]]:
    return [(o["valueCoding"]["code"], o["valueCoding"]["display"]) for o in item["answerOption"]]


@pytest.mark.parametrize("form_id", FORMS)
def test_metadata(form_id: str) -> None:
    questionnaire = form(form_id)
    assert questionnaire["url"] == f"{BASE}Questionnaire/{form_id}"
    assert questionnaire["name"] == "".join(part.capitalize() for part in form_id.split("-"))
    assert questionnaire["version"] == "0.1.0"
    assert (questionnaire["status"], questionnaire["experimental"]) == ("active", True)
    assert (questionnaire["publisher"], questionnaire["date"]) == ("fhir-keta maintainers", "2026-11-22")
    assert questionnaire["subjectType"] == ["Patient"]
    assert questionnaire["language"] == "en"
    assert questionnaire["meta"] == {"profile": [BASE + "StructureDefinition/keta-questionnaire"]}
    assert questionnaire["jurisdiction"][0]["coding"][0]["code"] == "001"
    for element in ("title", "contact", "description", "purpose", "copyright"):
        assert questionnaire[element], element


@pytest.mark.parametrize("form_id", FORMS)
def test_link_ids_are_unique_and_speak(form_id: str) -> None:
    seen: set[str] = set()
    for item in all_items(form(form_id)):
        link_id, suffix = item["linkId"], {"group": "-group", "display": "-note"}.get(item["type"])
        assert link_id not in seen, link_id
        seen.add(link_id)
        if suffix:
            assert link_id.endswith(suffix), link_id
            continue
        (code,) = item["code"]
        if code["system"] == CONCEPTS:
            parent, _, child = link_id.rpartition(".")
            assert code["code"] == child
            assert not parent or parent in seen or parent == "discharge-readiness", link_id
        else:
            assert link_id in (code["code"], f"{form_id}.total")


@pytest.mark.parametrize("form_id", FORMS)
def test_own_codes_exist_with_their_display(form_id: str) -> None:
    for item in all_items(form(form_id)):
        codings = [*item.get("code", []), *(o["valueCoding"] for o in item.get("answerOption", []))]
        for coding in codings:
            if coding["system"].startswith(BASE):
                known = concepts(coding["system"].removeprefix(BASE + "CodeSystem/"))
                assert coding["display"] == known[coding["code"]]["display"], item["linkId"]
            else:
                assert coding["system"] == "http://loinc.org"


@pytest.mark.parametrize("form_id", FORMS)
def test_every_question_says_when_it_is_about(form_id: str) -> None:
    for item in questions(form_id):
        recall, extract = value(item, RECALL), value(item, EXTRACT)
        assert (recall is None) != (extract is None), item["linkId"]
        assert extract in (None, True)
        assert recall is None or recall in concepts("keta-recall")
        if item["code"][0]["code"] in COMPONENTS:
            assert extract is None, f"{item['linkId']} is no Observation of its own"
        if form_id in INSTRUMENTS:
            assert recall == "P14D"


@pytest.mark.parametrize("form_id", FORMS)
def test_only_what_every_renderer_can_show(form_id: str) -> None:
    allowed = {"group", "display", "choice", "boolean", "integer", "text", "date"}
    link_ids = items_by_link_id(form_id)
    assert "answerValueSet" not in str(form(form_id))
    for item in all_items(form(form_id)):
        assert item["type"] in allowed
        if is_question(item):
            assert "item" not in item, f"{item['linkId']}: questions inside a question are not shown everywhere"
        conditions = item.get("enableWhen", [])
        assert ("enableBehavior" in item) == (len(conditions) > 1)
        assert item.get("enableBehavior", "any") == "any"
        for condition in conditions:
            assert condition["operator"] in ("=", "exists")
            asked = link_ids[condition["question"]]
            if asked["type"] == "choice":
                assert set(condition["answerCoding"]) == {"system", "code"}
                offered = [(o["valueCoding"]["system"], o["valueCoding"]["code"]) for o in asked["answerOption"]]
                assert tuple(condition["answerCoding"].values()) in offered
            else:
                assert type(condition["answerBoolean"]) is bool


@pytest.mark.parametrize("form_id", FORMS)
def test_options(form_id: str) -> None:
    for item in questions(form_id):
        control = (value(item, CORE + "questionnaire-itemControl") or {"coding": [{"code": None}]})["coding"][0]["code"]
        if item["type"] != "choice":
            assert "answerOption" not in item
            continue
        assert control == ("check-box" if item.get("repeats") else "radio-button")
        codings = [option["valueCoding"] for option in item["answerOption"]]
        (system,) = {coding["system"] for coding in codings}
        name = system.removeprefix(BASE + "CodeSystem/")
        if name != "keta-concepts" and system != "http://loinc.org":
            assert [coding["code"] for coding in codings] == list(concepts(name)), "all, in the order of the scale"
        for option in item["answerOption"]:
            scores = [value(option, CORE + "ordinalValue"), value(option["valueCoding"], CORE + "ordinalValue")]
            expected = None
            if name in SCORED:
                expected = value(concepts(name)[option["valueCoding"]["code"]], CORE + "ordinalValue")
            elif item.get("prefix"):
                expected = {code: score for code, _, score in FREQUENCIES}[option["valueCoding"]["code"]]
            assert scores == [expected, expected], item["linkId"]


@pytest.mark.parametrize("form_id", FORMS)
def test_integers_have_limits_and_ratings_name_both_ends(form_id: str) -> None:
    for item in questions(form_id):
        limits = value(item, CORE + "minValue"), value(item, CORE + "maxValue")
        if item["type"] != "integer":
            assert limits == (None, None)
            continue
        assert limits == (0, RATING_TOPS.get(item["linkId"], 10)), item["linkId"]
        if limits[1] == 10:
            assert re.search(r"\b0 is .+, 10 is .+\.$", item["text"]), item["text"]
            control = value(item, CORE + "questionnaire-itemControl")
            assert control["coding"][0]["code"] == "slider"
            assert value(item, CORE + "questionnaire-sliderStepValue") == 1


@pytest.mark.parametrize("form_id", OWN)
def test_each_form_asks_what_it_should(form_id: str) -> None:
    asked = [item["linkId"] for item in questions(form_id) if "." not in item["linkId"]]
    assert asked == ASKED[form_id].split()


def test_what_an_effect_felt_like_is_asked_only_where_it_was_felt() -> None:
    without = met("keta-after", dict.fromkeys(EXPERIENCES, "not-at-all"))
    assert not [link_id for link_id in without if "." in link_id]
    for intensity in ("slightly", "moderately", "strongly", "extremely"):
        for experience in EXPERIENCES:
            children = set(met("keta-after", {experience: intensity})) - set(without)
            long = {f"{experience}.how-long"} if experience in ("visual-effects", "auditory-effects") else set()
            assert children == {f"{experience}.how-it-felt"} | long


@pytest.mark.parametrize("form_id", ["keta-after", "keta-follow-up"])
def test_the_gate_opens_what_is_ticked(form_id: str) -> None:
    gate = items_by_link_id(form_id)["other-effects"]
    assert tuple(code for code, _ in options(gate)) == OTHER_EFFECTS
    shut = set(met(form_id, {}))
    assert not shut & set(OTHER_EFFECTS)
    assert set(met(form_id, {"other-effects": ["numbness", "nightmares"]})) - shut == {"numbness", "nightmares"}


def test_words_follow_a_yes_and_nothing_else() -> None:
    for form_id in OWN:
        for item in questions(form_id):
            parent, _, child = item["linkId"].rpartition(".")
            if child == "in-own-words" and items_by_link_id(form_id)[parent]["type"] == "choice":
                codes = [code for code, _ in options(items_by_link_id(form_id)[parent])]
                opening = [code for code in codes if item["linkId"] in met(form_id, {parent: code})]
                assert opening == (["yes"] if "yes" in codes else codes[1:]), item["linkId"]


def test_declining_is_offered_where_safety_is_asked() -> None:
    safety = {
        "keta-before": ("earlier-reaction", "psychosis-history", "sedative-today", "alcohol-or-drugs-today"),
        "keta-after": ("support-available",),
        "keta-discharge": ("instructions-understood", "driving-advice-understood", "contact-known", "escort-present"),
        "keta-follow-up": ("effects-returned", "drove-early", "support-available"),
    }
    for form_id, link_ids in safety.items():
        for link_id in link_ids:
            assert options(items_by_link_id(form_id)[link_id])[-1] == ("prefer-not-to-say", "Prefer not to say")
    for form_id in ("keta-before", "keta-during"):
        assert "fear.declined" in met(form_id, {})
        assert "fear.declined" not in met(form_id, {"fear": 0})


def test_the_days_of_a_better_mood() -> None:
    def dated(answers: dict[str, Any]) -> set[str]:
        return {link_id for link_id in met("keta-follow-up", answers) if link_id.startswith("mood-benefit")}

    first, still, last = "mood-benefit-first-day", "mood-benefit-still-there", "mood-benefit-last-day"
    assert dated({}) == dated({"mood-benefit-noticed": False}) == {"mood-benefit-noticed"}
    assert dated({"mood-benefit-noticed": True}) == {"mood-benefit-noticed", first, still}
    assert dated({"mood-benefit-noticed": True, still: True}) == {"mood-benefit-noticed", first, still}
    assert dated({"mood-benefit-noticed": True, still: False}) == {"mood-benefit-noticed", first, still, last}


@pytest.mark.parametrize(
    ("form_id", "at_least", "at_most"),
    [("keta-before", 10, 14), ("keta-during", 6, 6), ("keta-after", 24, 45), ("keta-discharge", 13, 14)],
)
def test_burden(form_id: str, at_least: int, at_most: int) -> None:
    assert len(met(form_id, {})) == at_least
    assert len(questions(form_id)) == at_most


def test_the_form_during_the_infusion_has_no_free_text() -> None:
    assert {item["type"] for item in questions("keta-during")} == {"choice", "integer", "boolean"}


def test_someone_just_dosed_has_little_to_type() -> None:
    shown = met("keta-after", {})
    typed = [link_id for link_id in shown if items_by_link_id("keta-after")[link_id]["type"] in ("text", "date")]
    assert len(shown) <= 25
    assert typed == ["concern"]


@pytest.mark.parametrize("form_id", FORMS)
def test_only_the_clinician_must_answer(form_id: str) -> None:
    required = {item["linkId"] for item in all_items(form(form_id)) if item.get("required")}
    checks = ("oriented", "steady", "vitals-acceptable", "instructions", "driving-advice", "escort")
    expected = {"discharge-readiness-group", "discharge-readiness", *(f"discharge-readiness.{c}" for c in checks)}
    assert required == (expected if form_id == "keta-discharge" else set())


@pytest.mark.parametrize("form_id", OWN)
def test_own_forms_have_no_total(form_id: str) -> None:
    for item in all_items(form(form_id)):
        assert not extensions(item, CALCULATED)
        assert not item.get("readOnly")


@pytest.mark.parametrize("form_id", FORMS)
def test_every_form_says_what_it_is_not(form_id: str) -> None:
    notes = " ".join(item["text"] for item in all_items(form(form_id)) if item["type"] == "display")
    assert re.search(r"not a diagnosis", notes)
    assert re.search(r"does not replace (monitoring or )?emergency care", notes.replace("It does", "This form does"))
    assert "“off-label”" in notes
    assert "follow the instructions from your clinic" in notes
    assert ("not been tested in studies" in notes) == (form_id in OWN)
    assert ("does not read this form while you fill it in" in notes) == (form_id in (*INSTRUMENTS, "keta-follow-up"))


@pytest.mark.parametrize(("form_id", "printed", "which"), [("phq-9", PHQ_9, "any of the"), ("gad-7", GAD_7, "the")])
def test_instruments_are_word_for_word(form_id: str, printed: list[tuple[str, str]], which: str) -> None:
    group = items_by_link_id(form_id)[f"{form_id}-group"]
    assert group["text"] == f"Over the last 2 weeks, how often have you been bothered by {which} following problems?"
    asked = [item for item in group["item"] if is_question(item)]
    assert [(item["linkId"], item["text"]) for item in asked] == printed
    assert [item["prefix"] for item in asked] == [f"{number}." for number in range(1, len(printed) + 1)]
    for item in asked:
        assert options(item) == [(code, display) for code, display, _ in FREQUENCIES]
    notes = [item["text"] for item in all_items(form(form_id)) if item["type"] == "display"]
    assert NOTICE in notes
    assert form(form_id)["copyright"].startswith(NOTICE)
    assert "LOINC is copyright" in form(form_id)["copyright"]


def test_the_difficulty_item_of_phq_9() -> None:
    item = items_by_link_id("phq-9")["69722-7"]
    assert item["text"] == (
        "If you checked off any problems, how difficult have these problems made it for you to do your work, take care "
        "of things at home, or get along with other people?"
    )
    assert options(item) == DIFFICULTIES


def test_the_traps_of_gad_7_are_named() -> None:
    for words in ("68509-9", "More days than not", "69689-8", "in last 4 weeks"):
        assert words in form("gad-7")["description"]


def test_totals_are_calculated_and_not_typed() -> None:
    for form_id, code in [("phq-9", "44261-6"), ("gad-7", "70274-6")]:
        total = items_by_link_id(form_id)[f"{form_id}.total"]
        assert total["readOnly"] is True
        assert total["code"][0]["code"] == code


def test_the_crisis_note_shows_at_any_answer_above_0_to_item_9() -> None:
    items = form("phq-9")["item"][2]["item"]
    place = [item["linkId"] for item in items].index("crisis-note")
    assert items[place - 1]["linkId"] == "44260-8"
    shown = {condition["answerCoding"]["code"] for condition in items[place]["enableWhen"]}
    assert shown == {"LA6569-3", "LA6570-1", "LA6571-9"}
    assert {condition["question"] for condition in items[place]["enableWhen"]} == {"44260-8"}
    assert "call your local emergency number now" in items[place]["text"]
    assert "do not wait" in items[place]["text"]
