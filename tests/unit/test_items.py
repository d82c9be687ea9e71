"""The items of a Questionnaire as a tree (R4, Questionnaire.item)."""

from __future__ import annotations

import pytest

from fhir_keta.questionnaires import items
from fhir_keta.questionnaires.items import Condition, read_items
from fhir_keta.questionnaires.values import TypedValue
from tests.unit.forms import FORMS, all_items, form
from tests.unit.response_cases import CORE, ONE, SDC, coded, group, question, when

ORDINAL = {"url": CORE + "ordinalValue", "valueDecimal": 2}
WEIGHT = {"url": CORE + "itemWeight", "valueDecimal": 0.5}
TREE = read_items(
    {
        "resourceType": "Questionnaire",
        "item": [
            question("intro", "display", text="Hello."),
            group(
                "outer",
                question("first", "choice", question("why", "string", maxLength=20, readOnly=True), required=True),
                group("inner", question("second", "integer"), repeats=True),
            ),
        ],
    }
)


def test_items_stand_in_document_order_and_nest() -> None:
    assert list(TREE.by_link_id) == ["intro", "outer", "first", "why", "inner", "second"]
    assert [item.link_id for item in TREE] == list(TREE.by_link_id)
    assert [item.link_id for item in TREE.roots] == ["intro", "outer"]
    assert [item.link_id for item in TREE.children(None)] == ["intro", "outer"]
    assert [item.link_id for item in TREE.children(TREE.by_link_id["outer"])] == ["first", "inner"]
    assert TREE.by_link_id["why"].path == ("outer", "first")
    assert [item.link_id for item in TREE.ancestors(TREE.by_link_id["why"])] == ["outer", "first"]
    assert TREE.by_link_id["inner"].position == 1


def test_properties_of_items() -> None:
    intro, first, why, inner = (TREE.by_link_id[name] for name in ("intro", "first", "why", "inner"))
    assert (intro.text, intro.is_question, first.is_question, inner.is_question) == ("Hello.", False, True, False)
    assert (first.required, why.required, inner.repeats, first.repeats) == (True, False, True, False)
    assert (why.max_length, why.read_only, first.read_only) == (20, True, False)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("first", "second", "outer"),
        ("why", "first", "first"),
        ("second", "inner", "inner"),
        ("intro", "second", None),
        ("second", "second", "second"),
    ],
)
def test_the_innermost_common_item(one: str, other: str, common: str | None) -> None:
    for left, right in ((one, other), (other, one)):
        found = TREE.common(TREE.by_link_id[left], TREE.by_link_id[right])
        assert (found and found.link_id) == common


def test_options_and_their_scores() -> None:
    exclusive = {"url": CORE + "questionnaire-optionExclusive", "valueBoolean": True}
    on_coding = {"valueCoding": {"system": ONE, "code": "b", "extension": [WEIGHT]}}
    tree = read_items(
        {
            "item": [
                question(
                    "q",
                    "choice",
                    answerOption=[
                        {**coded("a"), "extension": [ORDINAL], "initialSelected": True},
                        on_coding,
                        {"valueString": "c", "extension": [exclusive]},
                        {"extension": [exclusive]},
                    ],
                )
            ]
        }
    )
    options = tree.by_link_id["q"].options
    assert [option.score for option in options] == [2, 0.5, None]
    assert [option.exclusive for option in options] == [False, False, True]
    assert [option.initial for option in options] == [True, False, False]
    assert options[2].value == TypedValue("string", "c")


def test_conditions_initial_values_and_extensions() -> None:
    expression = {"language": "text/fhirpath", "expression": "1 + 1"}
    tree = read_items(
        {
            "item": [
                question(
                    "q",
                    "integer",
                    enableWhen=[when("p", ">", answerInteger=1), {"question": "p"}, when("r", "exists")],
                    enableBehavior="any",
                    initial=[{"valueInteger": 4}],
                    answerValueSet="http://foreign.test/ValueSet/one",
                    extensions={
                        CORE + "maxValue": {"valueInteger": 9},
                        CORE + "entryFormat": {"valueString": "nn"},
                        SDC + "calculatedExpression": {"valueExpression": expression},
                    },
                )
            ]
        }
    )
    item = tree.by_link_id["q"]
    assert item.conditions == (Condition("p", ">", TypedValue("integer", 1)), Condition("r", "exists", None))
    assert (item.enable_behavior, item.initial) == ("any", (TypedValue("integer", 4),))
    assert item.answer_value_set == "http://foreign.test/ValueSet/one"
    assert item.extension_value(items.MAX_VALUE) == TypedValue("integer", 9)
    assert item.extension_value(items.MIN_VALUE) is None
    assert (item.integer(items.MAX_VALUE), item.integer(CORE + "entryFormat")) == (9, None)
    assert item.expression(items.CALCULATED_EXPRESSION) == expression
    assert item.expression(items.MAX_VALUE) is None


def test_items_that_cannot_be_told_apart_are_left_out() -> None:
    tree = read_items({"item": [question("a", "string"), {"type": "string"}, question("a", "integer"), "text", None]})
    assert [(item.link_id, item.type) for item in tree] == [("a", "string")]
    assert list(read_items({"item": {"linkId": "a"}})) == []


@pytest.mark.parametrize("form_id", FORMS)
def test_every_item_of_our_forms_is_read(form_id: str) -> None:
    tree = read_items(form(form_id))
    assert list(tree.by_link_id) == [item["linkId"] for item in all_items(form(form_id))]
    assert all(item.definition["linkId"] == item.link_id for item in tree)
