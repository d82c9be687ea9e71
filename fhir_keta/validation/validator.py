"""Verdicts on records: base R4, the profiles they claim, their Questionnaire, and what is nested inside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from fhir_keta.definitions.library import Library, bundled
from fhir_keta.errors import DefinitionError
from fhir_keta.records.parse import LEVELS, ParseFault, check_depth, is_too_deep, parse, repeated_names, written
from fhir_keta.records.source import Place
from fhir_keta.validation import rules
from fhir_keta.validation.accept import AcceptPath, PreparedPlans
from fhir_keta.validation.accepted.pieces import AcceptedPieces
from fhir_keta.validation.bundles import bundle_faults, entry_addresses, entry_resources
from fhir_keta.validation.checkers import Checker, Checkers
from fhir_keta.validation.definition_faults import DEFINITIONS, definition_faults
from fhir_keta.validation.documents import document_faults
from fhir_keta.validation.explain import element_name, explain
from fhir_keta.validation.extensions import (
    allowed_here,
    contexts_in_words,
    failed_condition,
    is_modifier,
    looks_around,
    looks_beside,
    undefined_parts,
)
from fhir_keta.validation.functions import FoundExtension, NestedResource, Shortcut, walk
from fhir_keta.validation.index import Trace, indexed
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.limit import first
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import descendants, objects, text
from fhir_keta.validation.suggestions import suggestion
from fhir_keta.validation.terminology import Terminology
from fhir_keta.validation.vital_signs import vital_signs_profile

if TYPE_CHECKING:
    from fhir_keta.validation.responses.checker import ResponseChecker

JsonObject = dict[str, Any]


_RESPONSE = "QuestionnaireResponse"
_REMEMBERED = 10_000  # accepted extensions, claims: a bound on memory
_LONGEST = 1000  # characters of one that is remembered
_ABOUT_MORE = (b"#", b"urn:", b"null")  # in an extension: what may lead into the record, or is no content at all


@dataclass(eq=False)
class Validator:
    """Checks records; made once, used for many. Holds compiled definitions and, to be quick, parts of records it found
    good: never more than a bounded number, and they are not pickled.

    ``library`` is what is known (default: what this package carries), ``profiles`` are canonicals that every record of
    the profile's type must meet besides those in its ``meta.profile``, ``strict`` turns "not known here" (a profile, a
    questionnaire) from a warning into an error.
    """

    library: Library = field(default_factory=bundled)
    profiles: Iterable[str] = ()
    strict: bool = False
    _responses: dict[str, ResponseChecker] = field(default_factory=dict, repr=False)
    _clean_extensions: set[tuple[str, str, bool, bytes | None]] = field(default_factory=set, repr=False)
    _by_claims: dict[tuple[Any, ...], tuple[Checker, ...]] = field(default_factory=dict, repr=False)
    _accepted: AcceptedPieces = field(default_factory=AcceptedPieces, repr=False)

    def __post_init__(self) -> None:
        self.profiles = tuple(self.profiles)
        self._terminology = Terminology(self.library)
        self._checkers = Checkers(self.library)
        self._plans = PreparedPlans()
        for canonical in self.profiles:
            if self.library.structure(canonical) is None:
                raise DefinitionError(
                    f"The profile {canonical} is not known here. Check its URL, or add its definition."
                )

    def __getstate__(self) -> dict[str, Any]:
        return {"library": self.library, "profiles": self.profiles, "strict": self.strict}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def check(self, data: bytes | JsonObject) -> list[Issue]:
        """All findings on one record, in order of their place in it; an empty list is a valid record.

        ``data`` is the record's JSON as bytes, or as a parsed object (then what only the text shows is not seen).
        Raises DefinitionError when a definition cannot be used.
        """
        if not isinstance(data, bytes):
            if isinstance(data, dict) and is_too_deep(data):
                return [rules.issue("json-depth", "", limit=LEVELS)]
            return self._findings(data)
        if self._accepted.accepts(data):
            return []
        try:
            resource = parse(data)
            check_depth(data, resource)
            issues = self._findings(resource, self._repeated(resource, data))
            if not issues:
                self._learn(resource, data)
        except ParseFault as fault:
            found = rules.issue(fault.rule, "", **fault.names)
            return [replace(found, place=Place("", fault.line, fault.column))]
        return issues

    def _learn(self, resource: JsonObject, data: bytes) -> None:
        """Remember a record in which nothing was found."""
        name = resource["resourceType"]
        checkers = self._usual_checkers(name, resource)
        if not checkers or name in DEFINITIONS or self._has_conditional(resource):
            return
        form = self._response_checker(resource.get("questionnaire", "#"), {}) if name == _RESPONSE else None
        compiled = tuple([checker.compiled for checker in checkers])
        self._accepted.learn(data, resource, (*map(id, compiled), id(form)), compiled, form)

    def _repeated(self, resource: JsonObject, data: bytes) -> Iterator[Issue]:
        """Names that stand twice in one object: only the bytes show them."""
        for path in repeated_names(data, resource):
            yield rules.issue("json-duplicate-key", self._element(resource, path), name=rules.quoted(path[-1]))

    def _element(self, resource: JsonObject, path: tuple[str | int, ...]) -> str:
        """The FHIRPath of what stands at names and indexes from the root."""
        node: Any = resource
        expression = ""
        checker: Checker | None = None
        for step in (None, *path):
            if step is not None:
                name = element_name(checker.compiled, step) if checker and isinstance(step, str) else step
                expression += f"[{name}]" if isinstance(step, int) else f".{name}"
                node = node[step]
            if isinstance(node, dict) and isinstance(type_name := node.get("resourceType"), str):
                checker = self._checker(type_name) if type_name in self.library.resource_types else None
                expression = expression or (type_name if checker else "")
        return expression

    def _usual_checkers(self, name: str, resource: JsonObject) -> tuple[Checker, ...]:
        """The checkers for what a record claims, if all of it is known; else none."""
        meta = resource.get("meta")
        claims = meta.get("profile", []) if type(meta) is dict else []
        if type(claims) is not list:  # a finding
            return ()
        try:
            key = (name, vital_signs_profile(resource), *claims)
            found = self._by_claims.get(key)
        except TypeError:  # no list of strings: a finding
            return ()
        if found is None:
            found = ()
            if name in self.library.resource_types:
                canonicals, issues = self._claimed(resource, name)
                if not issues:
                    found = self._checkers_of(canonicals, name)
            if len(self._by_claims) < _REMEMBERED and len(repr(claims)) <= _LONGEST:
                self._by_claims[key] = found
        return found

    def _findings(self, resource: Any, before: Iterable[Issue] = ()) -> list[Issue]:
        name = resource.get("resourceType") if isinstance(resource, dict) else None
        expression = name if isinstance(name, str) and name in self.library.resource_types else ""
        return first(chain(before, self._resource(resource, None, None, False)), expression)

    def _resource(
        self, resource: Any, prefix: str | None, outer: Scope | None, contained: bool, profiles: tuple[str, ...] = ()
    ) -> Iterator[Issue]:
        """One resource: ``prefix`` is its FHIRPath (None: its type), ``outer`` the scope of the one around it."""
        if not isinstance(resource, dict):
            yield rules.issue("json-not-object", prefix or "", found="something else")
            return
        name = resource.get("resourceType")
        if name is None:
            yield rules.issue("resource-type-missing", prefix or "")
            return
        if not isinstance(name, str) or name not in self.library.resource_types:
            hint = suggestion(name, sorted(self.library.resource_types))
            yield rules.issue("resource-type-unknown", prefix or "", name=rules.quoted(name), suggestion=hint)
            return
        expression = prefix or name
        scope = outer.inside(resource, contained) if outer else Scope(resource, resource, conforms=self._conforms)
        checkers = () if profiles else self._usual_checkers(name, resource)
        if not checkers:
            canonicals, unknown = self._claimed(resource, expression)
            yield from unknown
            canonicals += self._asked_for(resource, profiles, scope, canonicals)
            checkers = self._checkers_of(canonicals, name)
        if name == "Bundle":
            named, addresses = entry_resources(resource), entry_addresses(resource)
            scope = replace(scope, resources=named, addresses=addresses, bundle=str(resource.get("type")))
            yield from bundle_faults(resource, expression, self.library.resource_types)
            yield from document_faults(resource, expression)
        if name in DEFINITIONS:
            yield from definition_faults(resource, expression, scope, self._terminology)
        found = False
        for checker in checkers:
            for issue in self._structure(checker, resource, expression, scope):
                found = True
                yield issue
        shortcut = Shortcut(self._accept_path(scope).is_clean, self._extension_is_clean)
        for position, checker in enumerate(checkers):
            for each in walk(checker.compiled, resource, scope, self._terminology, expression, shortcut):
                if isinstance(each, Issue):
                    yield each
                elif isinstance(each, NestedResource):
                    if position == 0 or each.profiles:  # else it is the same for each profile
                        yield from self._resource(each.value, each.expression, scope, each.contained, each.profiles)
                elif isinstance(each, FoundExtension):
                    yield from self._extension(each, scope)
        if name == _RESPONSE and not found:
            yield from self._answers(resource, expression, scope.root)
        if name == "StructureDefinition" and not found:
            from fhir_keta.validation.structures.faults import structure_faults  # rare among records

            yield from structure_faults(resource, expression, self.library)

    def _checkers_of(self, canonicals: list[str], name: str) -> tuple[Checker, ...]:
        """The checkers of those profiles that are known, or that of the type."""
        return tuple(filter(None, map(self._checker, canonicals))) or (self._known(name),)

    def _asked_for(
        self, resource: JsonObject, profiles: tuple[str, ...], scope: Scope, claimed: list[str]
    ) -> list[str]:
        """The profile that a resource must meet because of where it stands; of several, the one that it meets."""
        of_its_type = [
            each
            for each in profiles
            if (known := self.library.structure(each)) and known["type"] == resource["resourceType"]
        ]
        if len(of_its_type) > 1:
            of_its_type = [each for each in of_its_type if self._conforms(resource, each, scope)] or of_its_type
        return [each for each in of_its_type[:1] if each not in claimed]

    def _conforms(self, resource: JsonObject, canonical: str, scope: Scope) -> bool:
        """Whether a resource meets a profile without an error; one that asks for itself again is taken to."""
        structure = self.library.structure(canonical)
        if structure is None or structure["type"] in ("Resource", "DomainResource"):
            return True
        if structure["type"] != resource.get("resourceType", structure["type"]):
            return False
        asked = (id(resource), canonical)
        if asked in scope.asked:
            return True
        contained = any(each is resource for each in objects(scope.root.get("contained")))
        inside = replace(scope.inside(resource, contained), asked=scope.asked | {asked})
        checker = self._known(canonical)
        found = chain(
            self._structure(checker, resource, "", inside),
            walk(checker.compiled, resource, inside, self._terminology, ""),
        )
        return not any(isinstance(each, Issue) and each.severity in ("error", "fatal") for each in found)

    def _structure(
        self, checker: Checker, resource: JsonObject, expression: str, scope: Scope | None = None
    ) -> Iterator[Issue]:
        trace: Trace = {}
        value = indexed(resource, checker.compiled.index, trace, scope)
        yield from explain(checker.compiled, checker.engine, value, trace, expression)

    def _claimed(self, resource: JsonObject, expression: str) -> tuple[list[str], list[Issue]]:
        """The canonicals this resource must meet, and findings on those that cannot be checked."""
        issues: list[Issue] = []
        canonicals: list[str] = []
        meta = resource.get("meta")
        claims = meta.get("profile") if isinstance(meta, dict) else None
        for position, canonical in enumerate(claims if isinstance(claims, list) else ()):
            place = f"{expression}.meta.profile[{position}]"
            structure = self.library.structure(canonical) if isinstance(canonical, str) else None
            if structure is None:
                issues.append(self._unknown(rules.issue("profile-unknown", place)))
            elif structure["type"] != resource["resourceType"]:
                if structure["type"] not in ("Resource", "DomainResource"):
                    names = {"name": structure["url"], "expected": structure["type"]}
                    issues.append(rules.issue("profile-mismatch", place, **names))
            else:
                canonicals.append(canonical)
                if structure.get("abstract") and structure.get("derivation") == "constraint":
                    issues.append(rules.issue("profile-abstract", place, name=structure["url"]))
        for canonical in self.profiles:
            structure = self.library.structure(canonical)
            if structure is not None and structure["type"] == resource["resourceType"]:
                canonicals.append(canonical)
        implied = vital_signs_profile(resource)
        if implied:
            canonicals.append(implied)
        return list(dict.fromkeys(canonicals)), issues

    def _unknown(self, issue: Issue) -> Issue:
        return replace(issue, severity="error") if self.strict else issue

    def _known(self, type_name: str) -> Checker:
        checker = self._checker(type_name)
        if checker is None:
            raise DefinitionError(f"The definition of {type_name} is missing. Install fhir-keta again.")
        return checker

    def _checker(self, canonical: str) -> Checker | None:
        return self._checkers.find(canonical)

    def _extension(self, found: FoundExtension, scope: Scope) -> Iterator[Issue]:
        url = found.value.get("url")
        any_extension = self._known("Extension")  # where no definition says more, or says nothing of a part
        if not isinstance(url, str):
            yield from self._structure(any_extension, found.value, found.expression, scope)
            return
        if ":" not in url and found.element_type == "Extension":
            return  # an inner extension of a complex one: its definition's schema has checked it
        structure = self.library.structure(url)
        if structure is None or structure["type"] != "Extension":
            yield rules.issue("extension-unknown", found.expression)
            yield from self._structure(any_extension, found.value, found.expression, scope)
            return
        if not allowed_here(structure, found.element_path, found.element_type, self.library):
            allowed = contexts_in_words(structure)
            yield rules.issue("extension-context", found.expression, name=structure["id"], allowed=allowed)
        elif condition := failed_condition(structure, found.element, found.value):
            yield rules.issue("extension-context", found.expression, name=structure["id"], allowed=f"where {condition}")
        if is_modifier(structure) is not found.modifier:
            place = "extension" if found.modifier else "modifierExtension"
            yield rules.issue("extension-modifier", found.expression, name=structure["id"], place=place)
        for position in undefined_parts(structure, found.value):
            part = f"{found.expression}.extension[{position}]"
            yield rules.issue("extension-unknown", part)
            yield from self._structure(any_extension, found.value["extension"][position], part, scope)
        checker = self._checker(url)
        if checker is not None:
            yield from self._structure(checker, found.value, found.expression, scope)
            own = walk(checker.compiled, found.value, scope, self._terminology, found.expression)
            yield from (each for each in own if isinstance(each, Issue))  # the rest is found with its element

    def _extension_is_clean(self, value: JsonObject, path: str, type_name: str, modifier: bool) -> bool:
        """Whether this very extension was found good in such a place before; else judged now."""
        content = written(value)
        key = (path, type_name, modifier, content)
        if key in self._clean_extensions:
            return True
        if content is None or any(each in content for each in _ABOUT_MORE) or self._is_conditional(value):
            return False
        if any(self._extension(FoundExtension(value, "", path, type_name, modifier, {}), Scope(value, value))):
            return False
        url = value.get("url")
        functions = self._known(url if isinstance(url, str) and ":" in url else "Extension").compiled.functions
        if not self._accept_path(Scope(value, value)).is_clean(value, functions):
            return False
        if len(self._clean_extensions) < _REMEMBERED and len(content) <= _LONGEST:
            self._clean_extensions.add(key)
        return True

    def _accept_path(self, scope: Scope) -> AcceptPath:
        return AcceptPath(scope, self._terminology, self._extension_is_clean, self._plans)

    def _is_conditional(self, extension: JsonObject) -> bool:
        """Whether what stands beside the extension decides about it, too."""
        url = extension.get("url")
        structure = self.library.structure(url) if isinstance(url, str) else None
        return structure is not None and (looks_beside(structure) or looks_around(structure, self.library))

    def _has_conditional(self, resource: JsonObject) -> bool:
        """Whether an extension, at the root or further inside, asks for something in another part of the record."""
        for node in descendants(resource):
            for each in (*objects(node.get("extension")), *objects(node.get("modifierExtension"))):
                structure = self.library.structure(text(each.get("url")))
                beside = structure and node is resource and looks_beside(structure)
                if structure and (beside or looks_around(structure, self.library)):
                    return True
        return False

    def _answers(self, response: JsonObject, expression: str, root: JsonObject) -> Iterator[Issue]:
        canonical = response.get("questionnaire")
        if not isinstance(canonical, str):
            return
        checker = self._response_checker(canonical, root)
        if checker is None:
            yield self._unknown(rules.issue("questionnaire-unknown", f"{expression}.questionnaire"))
            return
        for issue in checker.findings(response):
            if expression != _RESPONSE:
                issue = replace(issue, expression=expression + issue.expression.removeprefix(_RESPONSE))
            yield issue

    def _response_checker(self, canonical: str, root: JsonObject) -> ResponseChecker | None:
        from fhir_keta.validation.responses.checker import compile_questionnaire  # not needed to check one Observation

        if canonical.startswith("#"):
            contained = root.get("contained")
            for resource in contained if isinstance(contained, list) else ():
                if isinstance(resource, dict) and resource.get("id") == canonical[1:]:
                    return compile_questionnaire(resource, self.library)
            return None
        if canonical not in self._responses:
            found = self.library.find(canonical)
            if found is None or found["resourceType"] != "Questionnaire":
                return None
            self._responses[canonical] = compile_questionnaire(found, self.library)
        return self._responses[canonical]
