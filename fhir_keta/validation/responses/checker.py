"""A QuestionnaireResponse against its Questionnaire (R4, QuestionnaireResponse, notes; SDC for totals).

Compile once, index, check, and explain only refusals::

    checker = compile_questionnaire(questionnaire, library)
    issues = checker.check(response)

The schema and the index say what HL7's validator says; totals are checked beyond it. The base structure of the response
is checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fhir_keta.questionnaires.items import ItemTree, read_items
from fhir_keta.questionnaires.scoring import Total, total_value, totals
from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.limit import first
from fhir_keta.validation.responses.answers import AnswerRules, CodeSource
from fhir_keta.validation.responses.explain import Explanation, places, without_odd_shapes
from fhir_keta.validation.responses.index import Fault, Plan, index_response
from fhir_keta.validation.responses.schema import ResponseCompiler

JsonObject = dict[str, Any]

# R4, QuestionnaireResponse.status: only these say that nothing required is left out
COMPLETE = ("completed", "amended")


@dataclass(frozen=True)
class ResponseChecker:
    """One questionnaire, compiled; ``check`` is pure, and the checker can be pickled."""

    questionnaire: JsonObject
    library: CodeSource

    def check(self, response: JsonObject) -> list[Issue]:
        """Check a response given as parsed JSON against the questionnaire; an empty list means no findings.

        Never raises for what a response holds: what is not R4 at all is left to the base checks.
        """
        return first(self.findings(response), "QuestionnaireResponse")

    def findings(self, response: JsonObject) -> Iterator[Issue]:
        """What ``check`` gives, one after the other, however many there are."""
        engine = self._complete if response.get("status") in COMPLETE else self._incomplete
        indexed = None
        try:
            scope, faults = indexed = index_response(response, self._plan)
            if not faults and engine.is_valid(scope) and not self._total_faults(scope):
                return
        except (TypeError, AttributeError, KeyError):  # not built of objects and arrays as R4 says
            pass
        yield from self._explain(response, engine, indexed)

    def _explain(
        self, response: JsonObject, engine: Engine, indexed: tuple[JsonObject, list[Fault]] | None
    ) -> Iterator[Issue]:
        expressions = places(response)
        if expressions is None or indexed is None:
            response = without_odd_shapes(response)
            expressions = places(response) or {}
            indexed = index_response(response, self._plan)
        scope, faults = indexed
        explanation = Explanation(self._tree, self._compiler.rules, expressions)
        # while these are asked for, the copy lives: no other object gets the id() of one of its elements
        yield from explanation.issues(faults, engine, scope, self._total_faults(scope))

    def _total_faults(self, scope: JsonObject) -> list[Fault]:
        """Totals that do not follow from their answers, or come from an incomplete form."""
        faults: list[Fault] = []
        for total in self.totals:
            element = scope.get(total.link_id)
            given = total_value(element) if isinstance(element, dict) else None
            if element is None or given is None:
                continue
            score = total.score(scope)
            if score == given:
                continue
            if score is not None:
                rule = "response-total"
            elif not all(scope.get(member, {}).get("answer") for member in total.members):
                rule = "response-total-incomplete"
            else:
                continue  # not evaluated: an answer is none of the options, which is a finding of its own
            faults.append(Fault(rule, element, total.link_id, ("answer", 0, "value")))
        return faults

    @cached_property
    def _tree(self) -> ItemTree:
        return read_items(self.questionnaire)

    @cached_property
    def _compiler(self) -> ResponseCompiler:
        return ResponseCompiler(self._tree, self.library)

    @cached_property
    def _plan(self) -> Plan:
        return self._compiler.plan()

    def scope(self, response: JsonObject) -> JsonObject:
        """The items of the response by linkId, as totals see them.

        Raises TypeError or AttributeError where the response is not built of objects and arrays as R4 says.
        """
        return index_response(response, self._plan)[0]

    def totals_follow(self, scope: JsonObject) -> bool:
        """Whether the totals among these items, given by linkId, follow from the answers among them."""
        return not self._total_faults(scope)

    @cached_property
    def totals(self) -> tuple[Total, ...]:
        """The totals that the questionnaire calculates, as far as they are understood."""
        return totals(self._tree)

    @cached_property
    def enabling(self) -> frozenset[str]:
        """The linkIds of the questions whose answers enable other items."""
        return frozenset(condition.question for item in self._tree for condition in item.conditions)

    @property
    def answer_rules(self) -> Mapping[str, AnswerRules]:
        """What an answer must be, by linkId."""
        return self._compiler.rules

    @cached_property
    def _complete(self) -> Engine:
        return compile_schema(self._compiler.schema(complete=True))

    @cached_property
    def _incomplete(self) -> Engine:
        return compile_schema(self._compiler.schema(complete=False))

    def __reduce__(self) -> tuple[Any, ...]:
        return (ResponseChecker, (self.questionnaire, self.library))


def compile_questionnaire(questionnaire: JsonObject, library: CodeSource) -> ResponseChecker:
    """Prepare a Questionnaire (parsed JSON) for checking its responses; ``library`` knows the value sets it names."""
    return ResponseChecker(questionnaire, library)


def check_response(response: JsonObject, questionnaire: JsonObject, library: CodeSource) -> list[Issue]:
    """Check one response against its Questionnaire; for many of them compile the questionnaire once instead."""
    return compile_questionnaire(questionnaire, library).check(response)
