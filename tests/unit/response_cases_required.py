"""What is required, where it is enabled and its parent is there."""

from __future__ import annotations

from tests.unit.response_cases import SDC, Case, answered, group, question, text, within, yes
from tests.unit.response_cases_enablement import ASKED, IF_YES

_MUST = question("must", "string", required=True)
_MUST_WHEN_ASKED = question("then", "string", required=True, enableWhen=[IF_YES])
_BY_EXPRESSION = question(
    "then",
    "string",
    required=True,
    extensions={
        SDC + "enableWhenExpression": {"valueExpression": {"language": "text/fhirpath", "expression": "false"}}
    },
)
_EMPTY_GROUP = "what is inside a disabled group is disabled too, and nothing disabled is required (item.required)"

REQUIRED = [
    Case("required-answered", [_MUST], [answered("must", text("x"))]),
    Case("required-missing", [_MUST], [], (("response-required", ""),)),
    Case("required-without-answer", [_MUST], [{"linkId": "must"}], (("response-required", "item[0]"),)),
    Case("required-without-answer-yet", [_MUST], [{"linkId": "must"}], status="in-progress"),
    Case(
        "required-in-each-item-of-one-question",
        [{**_MUST, "repeats": True}],
        [answered("must", text("x")), {"linkId": "must"}],
        (("response-required", "item[1]"),),
    ),
    Case("required-amended", [_MUST], [], (("response-required", ""),), status="amended"),
    *(
        Case(f"required-{status}", [_MUST], [], status=status)
        for status in ("in-progress", "stopped", "entered-in-error")
    ),
    Case("required-in-missing-group", [group("g", _MUST)], []),
    Case("required-in-group", [group("g", _MUST)], [{"linkId": "g"}], (("response-required", "item[0]"),)),
    Case("required-group", [group("g", question("in", "string"), required=True)], [], (("response-required", ""),)),
    Case(
        "required-group-empty",
        [group("g", question("in", "string"), required=True)],
        [{"linkId": "g"}],
        (("response-required", "item[0]"),),
        status="in-progress",
    ),
    Case(
        "required-in-each-repetition",
        [group("g", question("in", "string"), _MUST, repeats=True)],
        [within("g", answered("must", text("x"))), within("g", answered("in", text("x")))],
        (("response-required", "item[1]"),),
    ),
    Case("required-under-unanswered", [question("q", "string", _MUST)], [{"linkId": "q"}]),
    Case(
        "required-under-answer",
        [question("q", "string", _MUST)],
        [answered("q", text("x"))],
        (("response-required", "item[0].answer[0]"),),
    ),
    Case("required-enabled", [ASKED, _MUST_WHEN_ASKED], [answered("asked", yes())], (("response-required", ""),)),
    Case("required-disabled", [ASKED, _MUST_WHEN_ASKED], [answered("asked", yes(False))]),
    Case(
        "required-disabled-without-answer",
        [ASKED, _MUST_WHEN_ASKED],
        [answered("asked", yes(False)), {"linkId": "then"}],
    ),
    Case(
        "required-enabled-in-each-item-of-one-question",
        [ASKED, {**_MUST_WHEN_ASKED, "repeats": True}],
        [answered("asked", yes()), answered("then", text("x")), {"linkId": "then"}],
        (("response-required", "item[2]"),),
    ),
    Case(
        "required-enabled-without-answer",
        [ASKED, _MUST_WHEN_ASKED],
        [answered("asked", yes()), {"linkId": "then"}],
        (("response-required", "item[1]"),),
    ),
    Case(
        "required-in-disabled-group",
        [ASKED, group("g", _MUST, enableWhen=[IF_YES])],
        [answered("asked", yes(False)), {"linkId": "g"}],
        differs=_EMPTY_GROUP,
    ),
    Case(
        "required-in-disabled-repetition",
        [ASKED, group("g", _MUST, enableWhen=[IF_YES], repeats=True)],
        [answered("asked", yes(False)), {"linkId": "g"}],
        differs=_EMPTY_GROUP,
    ),
    Case(
        "required-in-enabled-group",
        [ASKED, group("g", _MUST, enableWhen=[IF_YES])],
        [answered("asked", yes()), {"linkId": "g"}],
        (("response-required", "item[1]"),),
    ),
    Case(
        "required-in-enabled-repetition",
        [ASKED, group("g", _MUST, enableWhen=[IF_YES], repeats=True)],
        [answered("asked", yes()), {"linkId": "g"}],
        (("response-required", "item[1]"),),
    ),
    Case("by-expression", [_BY_EXPRESSION], []),
    Case(
        "by-expression-answered",
        [_BY_EXPRESSION],
        [answered("then", text("x"))],
        differs="enableWhenExpression is SDC, not R4, and not evaluated here",
    ),
]
