"""What a published schema does not check: the rules of the functions, and those that a schema says only in part.

Read from the same plan that the functions run by, so the list cannot fall behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fhir_keta.validation import rules
from fhir_keta.validation.compiled import Check, Compiled, FunctionPlan
from fhir_keta.validation.published.responses import ORDERED, PureResponses
from fhir_keta.validation.responses.answers import AnswerRules


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A rule that a schema leaves unchecked, in words; ``partly``: it checks the rule, but not in this case."""

    rule: str
    words: str
    partly: bool = False


_ALWAYS = (
    Unsaid("profile-unknown", "other profiles, and the questionnaire, that the resource names"),
    Unsaid("profile-mismatch", "other profiles, and the questionnaire, that the resource names"),
    Unsaid("questionnaire-unknown", "other profiles, and the questionnaire, that the resource names"),
    Unsaid("json-duplicate-key", "names that stand twice in one object"),
    Unsaid("element-id", "two elements with the same id"),
    Unsaid("element-empty", "elements with an id and nothing else", True),
    Unsaid("primitive-alignment", "whether the items of name and _name line up"),
    Unsaid("primitive-format", "whole numbers that are written 6.0 or 6e0", True),
)
_CODES = (
    Unsaid("code-unknown", "codes that their code system does not have, outside required bindings"),
    Unsaid("display-wrong", "displays that are not those of their code"),
)
_EXTENSIONS = (
    Unsaid("extension-unknown", "whether an extension is known, and the content that its definition asks for"),
    Unsaid("extension-context", "whether an extension may stand where it does"),
    Unsaid("extension-modifier", "whether an extension may stand in modifierExtension"),
)
_CONTAINED = (
    Unsaid("resource-type-unknown", "the content of contained resources"),
    Unsaid("resource-type-missing", "the content of contained resources"),
)
_TARGETS = Unsaid("reference-target", "the type of what a reference inside the record leads to", True)
_CHOICES = Unsaid("choice-multiple", "two values for an element of any type", True)

# the rules of the checks in ``responses.answers``
_BY_FUNCTION = (
    "response-option",
    "response-min-value",
    "response-max-value",
    "response-pattern",
    "response-decimal-places",
    "response-unit",
    "response-attachment-type",
    "response-attachment-size",
)


def unsaid(compiled: Compiled) -> tuple[Unsaid, ...]:
    """What the schema of a profile or type leaves to functions, sorted by rule."""
    found: set[Unsaid] = {*_ALWAYS}
    for plan in _plans(compiled.functions):
        if plan.type == "Coding":
            found.update(_CODES)
        elif plan.type == "Extension":
            found.update(_EXTENSIONS)
        elif plan.type == "Resource":
            found.update(_CONTAINED)
        if plan.targets:
            found.add(_TARGETS)
        if plan.choices:
            found.add(_CHOICES)
        found.update(_in_words(invariant.key, invariant.human) for invariant in plan.invariants)
        found.update(_of_check(check) for checks in plan.checks.values() for check in checks)
    found.update(Unsaid(key, "needs FHIRPath") for key in compiled.by_fhirpath | compiled.unchecked)
    return tuple(sorted(found, key=lambda each: (each.rule, each.words)))


def unsaid_of_answers(rules_of: Mapping[str, AnswerRules], has_totals: bool, said: PureResponses) -> tuple[Unsaid, ...]:
    """What the schema of a questionnaire's responses leaves out beside that of any response; ``rules_of`` by linkId."""
    found: list[Unsaid] = []
    if has_totals:
        found += [_in_words("response-total", ""), _in_words("response-total-incomplete", "")]
    if said.not_stated:
        words = f"whether these items are enabled, and what follows from it: {_listed(said.not_stated)}"
        found += [Unsaid("response-disabled", words, True), Unsaid("response-required", words, True)]
    if said.unordered:
        words = f"the order beyond {ORDERED} items in one place, where an item repeats"
        found.append(Unsaid("response-order", words, True))
    checked = [link_id for link_id, answers in rules_of.items() if answers.checks]
    if checked:
        words = f"limits, patterns, units and attachments of {_listed(checked)}"
        found += [Unsaid(rule, words, True) for rule in _BY_FUNCTION]
    return tuple(found)


def _listed(link_ids: Iterable[str]) -> str:
    return ", ".join(sorted(link_ids))


def _in_words(key: str, human: str) -> Unsaid:
    if human:
        return Unsaid(key, human)
    return Unsaid(key, rules.RULES[key].message if key in rules.RULES else "")


def _of_check(check: Check) -> Unsaid:
    """What a check of values finds, with the words that fill its message."""
    words = check.names.get("human") or rules.RULES[check.rule].message.format(**check.names)
    return Unsaid(check.rule, words)


def _plans(root: FunctionPlan) -> Iterator[FunctionPlan]:
    """The plan and all below it, each once: types refer to each other in circles."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        plan = stack.pop()
        if id(plan) not in seen:
            seen.add(id(plan))
            yield plan
            stack.extend(plan.children.values())
