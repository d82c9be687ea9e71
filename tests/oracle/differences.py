"""The files of examples/invalid on which HL7's validator and ours differ, each with what the specification says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """``ours`` and ``theirs``: whether each gives an error. ``why`` says who is right, ``source`` where that stands."""

    ours: bool
    theirs: bool
    why: str
    source: str


VERDICTS = {
    "reference-subject": Difference(
        ours=True,
        theirs=False,
        why="The type of a target must be among those named; the validator judges only targets that it can fetch.",
        source="http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile",
    ),
    "response-too-long": Difference(
        ours=True,
        theirs=False,
        why="An answer may not be longer than maxLength; the validator does not look at it for items of type text.",
        source="http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.maxLength",
    ),
    "response-wrong-total": Difference(
        ours=True,
        theirs=False,
        why="An item with a calculatedExpression holds what the expression gives; the validator computes nothing.",
        source="http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    ),
    "response-total-of-incomplete-form": Difference(
        ours=True,
        theirs=False,
        why="As above: the expression gives nothing while an answer is missing, so there is no total to write down.",
        source="http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    ),
}

# Same verdict, but the validator reports it at another element.
PLACES = {
    "bundle-full-url-of-another": "It compares each fullUrl with its resource, but always reports at the first entry.",
}
