"""From the engine's refusals to findings: FHIRPath, rule and a sentence, through the index back to the original."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from fhir_keta.validation import rules
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.engine import Engine
from fhir_keta.validation.index import BY_SLICE, Trace
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.limit import MOST
from fhir_keta.validation.primitives import LONGEST_STRING, primitive_remedy
from fhir_keta.validation.refusal import Refusal
from fhir_keta.validation.suggestions import suggestion

JsonObject = dict[str, Any]

_CODINGS = 10  # of one concept, for which a remedy is looked for: a bound on the time a refusal may take
_NAMES_BELOW = frozenset({"properties", "$defs", "dependentSchemas"})


def explain(compiled: Compiled, engine: Engine, value: Any, trace: Trace, prefix: str) -> Iterator[Issue]:
    """The findings behind the engine's refusals of an indexed ``value``; ``prefix`` is the FHIRPath of the value.

    No more refusals are asked for than it takes to give as many findings as are listed (see ``limit.py``).
    """
    found = _explained(compiled, engine, value, trace, prefix)
    while listed := list(islice(found, MOST)):
        yield from _without_consequences(listed)


class _Found(NamedTuple):
    """A finding with the rule and words that the schema stated."""

    rule: str
    words: str
    issue: Issue


def _explained(compiled: Compiled, engine: Engine, value: Any, trace: Trace, prefix: str) -> Iterator[_Found]:
    for refusal in engine.refusals(value):
        stated = engine.stated.get(refusal.schema_path)
        if stated is None:
            stated = engine.stated[refusal.schema_path] = _stated(engine.schema, refusal.schema_path)
        rule, words, owner, above = stated
        path = refusal.path[: len(refusal.path) - above] if above else refusal.path
        expression = _expression(compiled, value, trace, path, prefix)
        for issue in _issues(rule, words, owner, refusal, expression):
            yield _Found(rule, words, issue)


def _without_consequences(found: list[_Found]) -> Iterator[Issue]:
    """A value of a type that is not allowed: that no allowed one is there, and what follows, is the same fault."""
    wrongly_typed = {
        (each.issue.expression.rpartition(f".{base}.ofType(")[0], f"{base}[x]")
        for each in found
        if each.rule == "choice-type" and (base := each.words.partition("|")[0])
    }
    if not wrongly_typed:
        yield from (each.issue for each in found)
        return
    beside = {expression for expression, _ in wrongly_typed}
    for each in found:
        issue = each.issue
        follows = issue.code == "invariant" and issue.expression in beside
        missing = each.rule == "cardinality-min" and (issue.expression, each.words.partition("|")[0]) in wrongly_typed
        if not follows and not missing:
            yield issue


def _stated(schema: JsonObject, schema_path: tuple[str | int, ...]) -> tuple[str, str, JsonObject, int]:
    """The rule that the refusing keyword belongs to, its words, its schema, and how far above the instance it stands.

    Without a rule of its own a keyword is the structure's: the closed object around it ends the search.
    """
    nodes: list[Any] = [schema]
    for segment in schema_path:
        nodes.append(nodes[-1][segment])
    above = 0
    for position in range(len(schema_path) - 1, -1, -1):
        before = schema_path[position - 1] if position else ""
        if before in _NAMES_BELOW:  # the keys of this mapping are names, not keywords
            above += before == "properties"
            continue
        current = nodes[position]
        if not isinstance(current, dict):
            continue
        above += schema_path[position] == "items"
        if "additionalProperties" in current:
            return "", "", current, 0
        comment = current.get("$comment")
        if isinstance(comment, str):
            return comment, str(current.get("description", "")), current, above
    return "", "", schema, 0


def _expression(compiled: Compiled, value: Any, trace: Trace, path: tuple[str | int, ...], prefix: str) -> str:
    expression = prefix
    node = value
    positions: list[int] | None = None
    for step in path:
        if isinstance(node, dict) and id(node) in trace:
            positions = trace[id(node)].get(str(step))
            node = node[step]
            continue
        if isinstance(step, int):
            expression += f"[{positions[step] if positions else step}]"
            positions = None
        else:
            expression += "." + element_name(compiled, step.removesuffix(BY_SLICE))
        node = node[step]
    return expression


def element_name(compiled: Compiled, key: str) -> str:
    """A JSON key as FHIRPath: ``valueQuantity`` is ``value.ofType(Quantity)``, ``_birthDate`` the element itself."""
    name = key.removeprefix("_")
    if name in compiled.choice_keys:
        base, code = compiled.choice_keys[name]
        return f"{base}.ofType({code})"
    return name


def _issues(rule: str, words: str, owner: JsonObject, refusal: Refusal, expression: str) -> Iterator[Issue]:
    value = refusal.value
    if value is None:
        yield rules.issue("element-empty", expression)
    elif not rule or (rule == "primitive-format" and isinstance(value, dict | list)):
        yield from _structural(refusal, expression, words, owner)
    elif rule == "primitive-format":
        if value == "":
            yield rules.issue("element-empty", expression)
        elif refusal.keyword == "maxLength":
            yield rules.issue("string-length", expression, limit=LONGEST_STRING)
        else:
            yield rules.issue(rule, expression, type=words, remedy=primitive_remedy(words))
    elif rule in ("cardinality-min", "cardinality-max", "slice-min", "slice-max"):
        name, _, count = words.partition("|")
        yield rules.issue(rule, expression, name=name, min=count, max=count)
    elif rule == "choice-type":
        name, _, allowed = words.partition("|")
        yield rules.issue(rule, expression, name=name, allowed=allowed)
    elif rule == "binding-required":
        yield rules.issue(rule, expression, value_set=words, suggestion=_code_hint(value, owner))
    elif rule in rules.RULES:
        yield rules.issue(
            rule, expression, name=words, pattern=words, limit=words, bound=words, allowed=words, expected=words
        )
    else:
        yield rules.invariant(rule, "error", words, expression)


def _code_hint(value: Any, binding: JsonObject) -> str:
    """Which code of the value set may be meant, or which system: of a code, a Coding or a CodeableConcept."""
    if isinstance(value, str):
        return suggestion(value, tuple(binding.get("enum", ())))
    concept = binding.get("properties", {}).get("coding")
    systems = (concept["contains"] if concept else binding.get("then", binding)).get("anyOf", ())
    codings = value if isinstance(value, list) else [value]
    for coding in codings[:_CODINGS]:
        for system in systems if isinstance(coding, dict) else ():
            url = system["properties"]["system"]["const"]
            codes = system["properties"].get("code", {}).get("enum", ())
            if coding.get("system") == url:
                if hint := suggestion(coding.get("code"), tuple(codes)):
                    return hint
            elif coding.get("code") in codes:
                return f" The system of this code is {url}."
    return ""


def _structural(refusal: Refusal, expression: str, words: str, owner: JsonObject) -> Iterator[Issue]:
    keyword = refusal.keyword
    if keyword == "additionalProperties":
        known = tuple(owner.get("properties", ()))
        for name in refusal.detail:
            hint = suggestion(name, known)
            where = f"{expression}.{name.removeprefix('_')}" if rules.is_name(name) else expression
            yield rules.issue("element-unknown", where, name=rules.quoted(name), suggestion=hint)
    elif keyword == "required":
        for name in refusal.detail:
            yield rules.issue("cardinality-min", expression, name=name, min=1)
    elif keyword in ("minProperties", "minItems", "minLength"):
        yield rules.issue("element-empty", expression)
    else:
        expected = {"array": "array", "object": "object"}.get(words, "")
        yield rules.issue("element-type", expression, expected=expected or _expected(refusal, words))


def _expected(refusal: Refusal, words: str) -> str:
    if words:
        return f"value of type {words}"
    return "object, not an array," if isinstance(refusal.value, list) else "array or object"
