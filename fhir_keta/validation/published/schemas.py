"""The JSON Schemas we publish: one for each profile and one for each questionnaire's responses.

Draft 2020-12, complete in themselves, over FHIR's JSON as it is written: for any language, without this package. What
they cannot say is listed in the ``$comment`` of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.questionnaires.items import read_items
from fhir_keta.questionnaires.scoring import totals
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.published.pure import described, pure_schema
from fhir_keta.validation.published.responses import pure_responses
from fhir_keta.validation.published.unsaid import Unsaid, unsaid, unsaid_of_answers
from fhir_keta.validation.responses.checker import COMPLETE
from fhir_keta.validation.responses.schema import ResponseCompiler

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """One document: the canonical it is made from, its file name, the schema, and what the schema leaves unchecked."""

    canonical: str
    name: str
    schema: JsonObject
    unsaid: tuple[Unsaid, ...]


def published_schemas(definitions: Iterable[JsonObject], library: Library) -> Iterator[Published]:
    """The documents for the profiles on resources and the questionnaires among ``definitions``, in their order.

    Raises DefinitionError where one cannot be compiled, or says what no schema can.
    """
    for definition in definitions:
        if definition["resourceType"] == "Questionnaire":
            yield response_schema(definition, library)
        elif definition["resourceType"] == "StructureDefinition" and definition["kind"] == "resource":
            yield profile_schema(definition["url"], library)


def profile_schema(canonical: str, library: Library) -> Published:
    """The document for a profile. Raises DefinitionError when it is not known or cannot be said."""
    structure = library.structure(canonical)
    if structure is None:
        raise DefinitionError(f"The profile {canonical} is not known. Check its URL, or add its definition.")
    compiled = compile_structure(structure, library)
    left = unsaid(compiled)
    return _document(structure, pure_schema(compiled), left, f"{structure['type']} resources of the profile")


def response_schema(questionnaire: JsonObject, library: Library) -> Published:
    """The document for the responses to a questionnaire: base R4, and what the questionnaire asks for."""
    base = _base(library)
    tree = read_items(questionnaire)
    compiler = ResponseCompiler(tree, library)
    said = pure_responses(compiler.plan(), compiler.schema(complete=True), compiler.schema(complete=False), COMPLETE)
    schema = pure_schema(base)
    schema["allOf"] = [*schema.get("allOf", ()), *said.demands]
    schema["$defs"] = {**schema["$defs"], **said.definitions}
    left = (*unsaid(base), *unsaid_of_answers(compiler.rules, bool(totals(tree)), said))
    return _document(questionnaire, schema, left, "QuestionnaireResponse resources to the questionnaire")


def _base(library: Library) -> Compiled:
    structure = library.structure("QuestionnaireResponse")
    if structure is None:
        raise DefinitionError("The definition of QuestionnaireResponse is missing. Install fhir-keta again.")
    return compile_structure(structure, library)


def _document(definition: JsonObject, schema: JsonObject, left: tuple[Unsaid, ...], checked: str) -> Published:
    resource_type, id_ = definition["resourceType"], definition["id"]
    canonical = definition["url"]
    version = f"|{definition['version']}" if "version" in definition else ""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _schema_id(canonical, resource_type),
        "title": definition.get("title", id_),
        "description": f"{checked}: {canonical}{version}. {definition.get('description', '')}".strip(),
        "$comment": _comment(left),
    }
    return Published(canonical, f"{resource_type}-{id_}.schema.json", {**head, **described(schema)}, left)


def _schema_id(canonical: str, resource_type: str) -> str:
    """``https://.../StructureDefinition/x`` gives ``https://.../schema/StructureDefinition/x``."""
    base, found, id_ = canonical.rpartition(f"/{resource_type}/")
    return f"{base}/schema/{resource_type}/{id_}" if found else f"{canonical}/schema"


def _comment(left: Iterable[Unsaid]) -> str:
    """What is left unchecked, a line a rule."""
    lines = ["Not checked by this schema (fhir-keta validate does):"]
    lines += [f"{each.rule}{' (in part)' if each.partly else ''}: {each.words}" for each in left]
    return "\n".join(lines)
