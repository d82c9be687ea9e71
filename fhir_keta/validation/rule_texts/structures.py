"""Rules about definitions of structures: a profile against its base, and what its elements say."""

from __future__ import annotations

from fhir_keta.validation.rule_texts.text import CORE, JsonObject, RuleText

_STRUCTURE = "Source: FHIR R4, StructureDefinition."
_PROFILING = "Source: FHIR R4, Profiling FHIR, Limitations of Use."
_SLICING = "Source: FHIR R4, Profiling FHIR, Slicing."
_ELEMENT = "Source: FHIR R4, ElementDefinition"
_URL = "https://ehr.example/StructureDefinition/"


def _profile(*elements: JsonObject, **more: object) -> JsonObject:
    """A profile of Observation whose differential says this of its elements."""
    root = {"id": "Observation", "path": "Observation"}
    return {
        "resourceType": "StructureDefinition",
        "url": f"{_URL}weight",
        "name": "Weight",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": f"{CORE}Observation",
        "derivation": "constraint",
        "differential": {"element": [root, *elements]},
        **more,
    }


def _of(name: str, **said: object) -> JsonObject:
    return {"id": f"Observation.{name}", "path": f"Observation.{name}", **said}


def _extension(context: str = "Patient", url: str = f"{_URL}nickname") -> JsonObject:
    elements = [{"id": "Extension", "path": "Extension"}]
    elements.append({"id": "Extension.url", "path": "Extension.url", "fixedUri": url})
    return {
        **_profile(),
        "url": f"{_URL}nickname",
        "name": "Nickname",
        "kind": "complex-type",
        "type": "Extension",
        "baseDefinition": f"{CORE}Extension",
        "context": [{"type": "element", "expression": context}],
        "differential": {"element": elements},
    }


def _snapshot(element: JsonObject) -> JsonObject:
    """The same with a snapshot, shortened to its root and one element."""
    root = {"id": "Observation", "path": "Observation", "min": 0, "max": "*", "definition": "A weight."}
    root["base"] = {"path": "Observation", "min": 0, "max": "*"}
    whole = {"min": 0, "max": "1", "definition": "Its value.", "base": {"path": "Observation.issued"}, **element}
    whole["base"] = {"path": whole["path"], "min": 0, "max": "1"}
    return _profile(snapshot={"element": [root, whole]})


def _model(path: str) -> JsonObject:
    elements: list[JsonObject] = [{"id": "Visit", "path": "Visit"}]
    elements.append({"id": path, "path": path, "min": 0, "max": "1", "type": [{"code": "dateTime"}]})
    return {
        **_profile(),
        "url": f"{_URL}Visit",
        "name": "Visit",
        "kind": "logical",
        "type": f"{_URL}Visit",
        "baseDefinition": f"{CORE}Element",
        "derivation": "specialization",
        "differential": {"element": elements},
    }


def _constraint(key: str) -> JsonObject:
    return {"key": key, "severity": "error", "human": "A value is there.", "expression": "value.exists()"}


_SLICED = {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}
_BY_NOTHING = {"discriminator": [{"type": "value", "path": "kode"}], "rules": "open"}
_ISSUED = {"id": "Observation.issued", "path": "Observation.issued", "type": [{"code": "instant"}]}

TEXTS = {
    "structure-base": RuleText(
        "A constraint is of its base's type and kind, a specialization of a type of its own; derivation says which.",
        f"All that a definition says, it says of what its base has. {_STRUCTURE}",
        "Correct baseDefinition, or type, kind and derivation.",
        _profile(kind="complex-type"),
        _profile(),
    ),
    "structure-type": RuleText(
        "The type is one of FHIR, and the definition a constraint of it; only a logical model has a type of its own.",
        f"Each type has one definition; whoever reads a record looks it up by that name. {_STRUCTURE}type.",
        "Name the type that is constrained, with derivation constraint; give a logical model a URL for its type.",
        _profile(type="https://ehr.example/Weight", kind="resource", baseDefinition=f"{_URL}unknown"),
        _profile(),
    ),
    "structure-context": RuleText(
        "A context is an element that exists, and only extensions have contexts.",
        f"Where there is no such element, the extension could not stand anywhere. {_STRUCTURE}context.",
        "Write the path of the element, such as Patient.contact; value[x] is written so or as value.",
        _extension("Patient.nickname"),
        _extension("Patient.name"),
    ),
    "structure-extension-url": RuleText(
        "The definition of an extension fixes its url to its own canonical URL.",
        "By that url readers find the definition. Source: FHIR R4, Defining Extensions.",
        "Set fixedUri of Extension.url to the url of the definition.",
        _extension(url=f"{_URL}nick-name"),
        _extension(),
    ),
    "differential-element": RuleText(
        "A differential speaks of elements that the base has, in its order, each with all below it in one place.",
        f"The snapshot is made by walking through the base: what does not come in its turn gets lost. {_STRUCTURE}"
        "differential.",
        "Correct the path, or move the element to where the base has it.",
        _profile(_of("subject", min=1), _of("code", short="Body weight")),
        _profile(_of("code", short="Body weight"), _of("subject", min=1)),
    ),
    "differential-slicing": RuleText(
        "What repeats may be sliced, by a discriminator; each slice has a name, and those of the base come first.",
        f"Without it nobody can tell of which slice an element is. {_SLICING}",
        "Put an element with slicing before the slices, keep the base's slicing and its order.",
        _profile(_of("component", id="Observation.component:fat", sliceName="fat", min=1)),
        _profile(
            _of("component", slicing=_SLICED),
            _of("component", id="Observation.component:fat", sliceName="fat", min=1),
        ),
    ),
    "differential-wider": RuleText(
        "A profile allows no more than its base: no lower min, no higher max, no other types, targets or codes.",
        f"Each record of the profile must be one of the base too. {_PROFILING}",
        "Narrow what the base says, or leave it.",
        _profile(_of("code", min=0)),
        _profile(_of("subject", min=1)),
    ),
    "differential-value": RuleText(
        "A fixed value or pattern keeps what the base fixes.",
        f"No record could meet both. {_ELEMENT}.fixed[x] and pattern[x].",
        "Take over the base's value; a pattern may say more than the base's.",
        {**_extension(), "baseDefinition": f"{CORE}patient-birthTime"},
        {**_extension(url=f"{CORE}patient-birthTime"), "baseDefinition": f"{CORE}patient-birthTime"},
    ),
    "element-path": RuleText(
        "All paths of a logical model begin with the last part of its type.",
        f"It names the elements of this type, not of another. {_ELEMENT}.path.",
        "Begin the path with the name of the type.",
        _model("Stay.start"),
        _model("Visit.start"),
    ),
    "element-place": RuleText(
        "What may be said of an element depends on where it stands: at the root, in a type, in a profile.",
        f"An example or a default of a whole record means nothing. {_ELEMENT}, Interpretation in different contexts.",
        "Leave it out there; a profile says nothing of what is missing.",
        _profile(_of("status", meaningWhenMissing="It is final.")),
        _profile(_of("status", comment="It is final.")),
    ),
    "element-type-code": RuleText(
        "In a snapshot each element has a type, or refers to the content of another.",
        f"A snapshot stands for itself: nobody looks up the base. {_ELEMENT}.type.",
        "Make the snapshot anew from the differential.",
        _snapshot({"id": "Observation.issued", "path": "Observation.issued"}),
        _snapshot(_ISSUED),
    ),
    "element-type-profile": RuleText(
        "A profile named for a type is one of that type; references lead to resources, modifiers stand in their place.",
        f"No value could be of the type and meet the profile. {_ELEMENT}.type.profile and targetProfile.",
        "Name a profile of this type, or correct the type.",
        _profile(_of("subject", type=[{"code": "Reference", "targetProfile": [f"{CORE}HumanName"]}])),
        _profile(_of("subject", type=[{"code": "Reference", "targetProfile": [f"{CORE}Patient"]}])),
    ),
    "element-binding": RuleText(
        "A binding stands on an element with codes, and leads to a value set.",
        f"A code system says which codes there are, a value set which of them are meant. {_ELEMENT}.binding.",
        "Name the value set; for all codes of a system most have one.",
        _profile(
            _of(
                "code",
                binding={
                    "strength": "preferred",
                    "valueSet": "http://terminology.hl7.org/CodeSystem/observation-category",
                },
            )
        ),
        _profile(
            _of("code", binding={"strength": "preferred", "valueSet": "http://hl7.org/fhir/ValueSet/observation-codes"})
        ),
    ),
    "element-value": RuleText(
        "Fixed values, patterns and defaults are of a type that the element has.",
        f"No record could have such a value there. {_ELEMENT}.fixed[x].",
        "Use the form for the element's type, such as patternCodeableConcept.",
        _profile(_of("code", patternString="weight")),
        _profile(_of("code", patternCodeableConcept={"text": "weight"})),
    ),
    "element-slicing": RuleText(
        "Slicing stands on what repeats or has several types, and its discriminators lead to parts of it.",
        f"Who reads the record follows that path to tell the slices apart. {_SLICING}",
        "Correct the discriminator's path: it starts at the element, as in code or value.ofType(Quantity).",
        _profile(_of("component", slicing=_BY_NOTHING, type=[{"code": "BackboneElement"}])),
        _profile(_of("component", slicing=_SLICED, type=[{"code": "BackboneElement"}])),
    ),
    "element-constraint": RuleText(
        "A constraint has a key that no other has, no other source than this definition, and readable FHIRPath.",
        f"By the key everyone speaks of it; one that cannot be read would never be checked. {_ELEMENT}.constraint.",
        "Give it a key of your own, and check its expression.",
        _profile({"id": "Observation.code", "path": "Observation.code", "constraint": [_constraint("obs-7")]}),
        _profile({"id": "Observation.code", "path": "Observation.code", "constraint": [_constraint("weight-1")]}),
    ),
}
