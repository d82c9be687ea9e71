"""Rules about definitions other than profiles: code systems, value sets, maps."""

from __future__ import annotations

from fhir_keta.validation.rule_texts.text import JsonObject, RuleText, coded, observation

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SET = "http://hl7.org/fhir/ValueSet/"


def _system(**elements: object) -> JsonObject:
    return {
        "resourceType": "CodeSystem",
        "url": _CATEGORY,
        "status": "active",
        "content": "complete",
        "concept": [{"code": "exam"}],
        **elements,
    }


def _supplement(meaning: str) -> JsonObject:
    elements = {"content": "supplement", "supplements": _ACT, "hierarchyMeaning": meaning}
    return {**_system(url="https://ehr.test/more", concept=[{"code": "AMB", "display": "Praxis"}]), **elements}


def _set(**include: object) -> JsonObject:
    return {
        "resourceType": "ValueSet",
        "url": "https://ehr.test/set",
        "status": "active",
        "compose": {"include": [include]},
    }


def _filtered(operator: str) -> JsonObject:
    return _set(system=_ACT, filter=[{"property": "concept", "op": operator, "value": "_ActPolicyType"}])


def _expanded(*versions: str) -> JsonObject:
    used = [{"name": "used-codesystem", "valueUri": f"{_CATEGORY}|{version}"} for version in versions]
    expansion = {"timestamp": "2026-09-07", "parameter": used, "contains": [{"system": _CATEGORY, "code": "exam"}]}
    return {"resourceType": "ValueSet", "url": "https://ehr.test/set", "status": "active", "expansion": expansion}


def _map(source: str) -> JsonObject:
    element = {"code": "exam", "target": [{"code": "survey", "equivalence": "relatedto"}]}
    return {
        "resourceType": "ConceptMap",
        "url": "https://ehr.test/map",
        "status": "active",
        "sourceCanonical": source,
        "group": [{"source": _CATEGORY, "target": _CATEGORY, "element": [element]}],
    }


def _search(**elements: object) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": "https://ehr.test/SearchParameter/gender",
        "name": "Gender",
        "status": "active",
        "description": "By administrative gender.",
        "code": "gender",
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.gender",
        **elements,
    }


def _offered(type_: str) -> JsonObject:
    gender = {"name": "gender", "definition": "http://hl7.org/fhir/SearchParameter/individual-gender", "type": type_}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-09-07",
        "description": "A server of patients.",
        "kind": "requirements",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": "Patient", "searchParam": [gender]}]}],
    }


def _operation(profile: str) -> JsonObject:
    return {
        "resourceType": "OperationDefinition",
        "name": "Count",
        "status": "active",
        "kind": "operation",
        "code": "count",
        "system": True,
        "type": False,
        "instance": False,
        "inputProfile": profile,
    }


def _guide(uri: str) -> JsonObject:
    return {
        "resourceType": "ImplementationGuide",
        "url": "https://ehr.test/ImplementationGuide/ours",
        "name": "Ours",
        "status": "active",
        "packageId": "test.ehr.ours",
        "fhirVersion": ["4.0.1"],
        "dependsOn": [{"uri": uri, "packageId": "test.ehr.theirs", "version": "1.0.0"}],
    }


def _measure(language: str) -> JsonObject:
    criterion = {"language": language, "expression": "Patient.active"}
    return {
        "resourceType": "Measure",
        "status": "active",
        "group": [{"population": [{"criteria": criterion}]}],
    }


def _structure_map(
    name: str = "status", source: str = "from", element: str = "status", transform: str = "copy", dependent: str = ""
) -> JsonObject:
    inputs = [
        {"name": "from", "type": "QuestionnaireResponse", "mode": "source"},
        {"name": "to", "type": "Observation", "mode": "target"},
    ]
    target = {
        "context": "to",
        "contextType": "variable",
        "element": element,
        "transform": transform,
        "parameter": [{"valueId": "status"}],
    }
    rule = {
        "name": name,
        "source": [{"context": source, "element": "status", "variable": "status"}],
        "target": [target],
        **({"dependent": [{"name": dependent, "variable": ["from", "to"]}]} if dependent else {}),
    }
    return {
        "resourceType": "StructureMap",
        "url": "https://ehr.test/StructureMap/observe",
        "name": "Observe",
        "status": "active",
        "structure": [{"url": _CORE + "QuestionnaireResponse", "mode": "source"}],
        "group": [{"name": "main", "typeMode": "none", "input": inputs, "rule": [rule]}],
    }


def _mapped_from(type_: str) -> JsonObject:
    structure_map = _structure_map()
    group = structure_map["group"][0]
    group["input"][0]["type"] = type_
    return structure_map


_CORE = "http://hl7.org/fhir/StructureDefinition/"

TEXTS = {
    "address-unknown": RuleText(
        "What has an address of HL7's (http://hl7.org/fhir) is something that is known here.",
        "HL7 gives these addresses, to things that can be looked up. Source: FHIR R4, Using Codes in resources.",
        "Correct the address, or add the definitions of the guide that it is of with --definitions.",
        observation(code=coded("http://hl7.org/fhir/observation-stat", "final")),
        observation(code=coded("http://hl7.org/fhir/observation-status", "final")),
    ),
    "code-system-value-set": RuleText(
        "The value set that a code system names for all of its codes includes this system, whole, and nothing else.",
        "Readers take it for the system's. Source: FHIR R4, CodeSystem.valueSet.",
        "Name the value set that has all of the codes, or leave the element out.",
        _system(valueSet=_SET + "observation-status"),
        _system(valueSet=_SET + "observation-category"),
    ),
    "code-system-hierarchy": RuleText(
        "A supplement says of the hierarchy what the system says that it adds to.",
        "It adds to that very hierarchy. Source: FHIR R4, CodeSystem.supplements and hierarchyMeaning.",
        "Leave hierarchyMeaning out.",
        _supplement("part-of"),
        _supplement("is-a"),
    ),
    "value-set-system": RuleText(
        "A value set takes its codes from a code system that it names by its URL alone.",
        "Version, value sets and supplements have elements of their own. Source: FHIR R4, ValueSet.compose.include.",
        "Move the version to version, the value set to valueSet, and name the system that a supplement adds to.",
        _set(system=_CATEGORY + "|4.0.1"),
        _set(system=_CATEGORY, version="4.0.1"),
    ),
    "value-set-filter": RuleText(
        "A filter asks for a property of the system with an operator that it has, and a value of the property's type.",
        "Otherwise it selects nothing, or nobody knows what. Source: FHIR R4, ValueSet.compose.include.filter, "
        "CodeSystem.filter.",
        "Correct what the message names.",
        _filtered("exists"),
        _filtered("is-a"),
    ),
    "value-set-expansion": RuleText(
        "An expansion from several versions of a system says with each code of which version it is.",
        "Codes may differ between versions. Source: FHIR R4, ValueSet.expansion.parameter and contains.version.",
        "Write the version with each code.",
        _expanded("1", "2"),
        _expanded("2"),
    ),
    "concept-map-value-set": RuleText(
        "A map is between value sets: source and target name no other definition.",
        "The systems stand in the groups. Source: FHIR R4, ConceptMap.source[x] and target[x].",
        "Name the value set, or leave the element out.",
        _map(_CATEGORY),
        _map(_SET + "observation-category"),
    ),
    "concept-map-code": RuleText(
        "What is mapped is in the value set that the map is from, what it is mapped to in the one that it is to.",
        "Programs choose a map by its value sets. Source: FHIR R4, ConceptMap.source[x] and target[x].",
        "Name a value set that has the code, or leave it out of the map.",
        _map(_SET + "observation-status"),
        _map(_SET + "observation-category"),
    ),
    "search-expression": RuleText(
        "The expression of a search parameter is FHIRPath, and asks for elements that the types searched have.",
        "What is not there is never found, and nobody is told. Source: FHIR R4, SearchParameter.expression.",
        "Correct the name or function that the message speaks of.",
        _search(expression="Patient.gendr"),
        _search(),
    ),
    "search-derived": RuleText(
        "A search parameter made from another is of its type, and for no other resource types.",
        "Servers treat it as that one. Source: FHIR R4, SearchParameter.derivedFrom.",
        "Take that one's type and bases, or leave derivedFrom out.",
        _search(derivedFrom="http://hl7.org/fhir/SearchParameter/individual-gender", type="string"),
        _search(derivedFrom="http://hl7.org/fhir/SearchParameter/individual-gender"),
    ),
    "search-type": RuleText(
        "A capability statement gives a search parameter the type that its definition has.",
        "Clients write the search as the type asks. Source: FHIR R4, CapabilityStatement, searchParam.type.",
        "Write the type that the message names, or another definition.",
        _offered("string"),
        _offered("token"),
    ),
    "operation-base": RuleText(
        "An operation is not made from itself, nor from one that is made from it.",
        "Nothing could be told from such a definition. Source: FHIR R4, OperationDefinition.base.",
        "Name another base, or none.",
    ),
    "operation-profile": RuleText(
        "The profile of an operation's input or output is known, and one of Parameters.",
        "Input and output are Parameters. Source: FHIR R4, OperationDefinition.inputProfile and outputProfile.",
        "Correct the canonical, or add the profile with --definitions.",
        _operation(_CORE + "Patient"),
        _operation(_CORE + "Parameters"),
    ),
    "guide-dependency": RuleText(
        "What a guide depends on is named by the canonical of that guide, its package and version beside it.",
        "Tools fetch it by these. Source: FHIR R4, ImplementationGuide.dependsOn.",
        "Write the url of the other ImplementationGuide, its package's name, and its version in version.",
        _guide("https://ehr.test/theirs"),
        _guide("https://ehr.test/ImplementationGuide/theirs"),
    ),
    "measure-criteria": RuleText(
        "A criterion in CQL is defined by a library that the measure names, and that is known here, with its ELM.",
        "Nobody can compute a measure without it. Source: FHIR R4, Measure.library and Measure.group.",
        "Add the library to the measure, and its definition with --definitions.",
        _measure("text/cql"),
        _measure("text/fhirpath"),
    ),
    "questionnaire-derived": RuleText(
        "A questionnaire made from another asks for nothing that that one does not allow.",
        "Responses to it are read as responses to that one. Source: FHIR R4, Questionnaire.derivedFrom, and "
        "HL7's extension questionnaire-derivationType.",
        "Narrow the item as the message says, or say that the questionnaire only extends the other.",
    ),
    "structure-map-name": RuleText(
        "The names of groups, rules and variables in a map have letters and digits only, a letter first.",
        "In the text of a map nothing else is a name. Source: FHIR R4, StructureMap, and the FHIR Mapping Language.",
        "Leave out hyphens, points and blanks.",
        _structure_map(name="the-status"),
        _structure_map(name="theStatus"),
    ),
    "structure-map-variable": RuleText(
        "A rule speaks of inputs of its group, and of variables that it or a rule around it has made.",
        "Others have no value there. Source: FHIR R4, StructureMap.group.rule.source.context and target.context.",
        "Correct the name, or make the variable in an outer rule. A source is not to be written to.",
        _structure_map(source="form"),
        _structure_map(),
    ),
    "structure-map-path": RuleText(
        "The element of a source or target is one of what its variable stands for.",
        "Others are never there, or cannot be written. Source: FHIR R4, StructureMap.group.rule.source.element.",
        "Write one element of the type, without its path; of a choice the name without the type.",
        _structure_map(element="state"),
        _structure_map(element="status"),
    ),
    "structure-map-type": RuleText(
        "The types in a map are known, and those that the elements have; a structure is used as it is declared.",
        "Programs make objects of these types. Source: FHIR R4, StructureMap.structure and group.input.",
        "Correct the type, or declare its structure with the alias.",
        _mapped_from("Response"),
        _mapped_from("QuestionnaireResponse"),
    ),
    "structure-map-group": RuleText(
        "A rule goes on in a group of this map or of one that it imports, with a variable for each of its inputs.",
        "There is nothing to go on with otherwise. Source: FHIR R4, StructureMap.group.rule.dependent.",
        "Correct the name or the variables; add imported maps with --definitions.",
        _structure_map(dependent="rest"),
        _structure_map(dependent="main"),
    ),
    "structure-map-transform": RuleText(
        "A transformation has the parameters that it takes; what it evaluates is FHIRPath.",
        "It cannot be done otherwise. Source: FHIR R4, StructureMap.group.rule.target.transform and parameter.",
        "Correct the parameters as the page of the transformation lists them.",
        _structure_map(transform="uuid"),
        _structure_map(transform="copy"),
    ),
}
