"""Our own forms are read by people who are anxious, unwell or just dosed: short words, short sentences.

The instruments are left out: their words are not ours to change.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from unittest.mock import patch

import pytest

from tests.unit.forms import OWN, all_items, form, questions

# textstat 0.7.4 imports pkg_resources, which newer setuptools lack, for a list of words that this grade does not use.
with patch.dict(sys.modules, {"pkg_resources": ModuleType("pkg_resources")}):
    import textstat

HIGHEST_GRADE = 7
LONGEST_QUESTION = 20


def grade(texts: list[str]) -> float:
    """The Flesch-Kincaid grade; what is said several times counts once, so that repeats cannot flatter."""
    sentences = [text if text[-1] in ".?!" else f"{text}." for text in dict.fromkeys(texts)]
    return float(textstat.flesch_kincaid_grade(" ".join(sentences)))


def words(text: str) -> int:
    return len(re.findall(r"\S*\w\S*", text))


def test_the_measure_tells_plain_from_difficult() -> None:
    assert grade(["Did you feel light, as if you were floating?"]) < 4
    assert grade(["Have you experienced perceptual abnormalities following administration of the medication?"]) > 12


@pytest.mark.parametrize("form_id", OWN)
def test_whole_form(form_id: str) -> None:
    assert grade([item["text"] for item in all_items(form(form_id))]) <= HIGHEST_GRADE


@pytest.mark.parametrize("form_id", OWN)
def test_notes_alone(form_id: str) -> None:
    assert grade([item["text"] for item in all_items(form(form_id)) if item["type"] == "display"]) <= HIGHEST_GRADE


@pytest.mark.parametrize("form_id", OWN)
def test_questions(form_id: str) -> None:
    texts = [item["text"] for item in questions(form_id)]
    assert grade(texts) <= HIGHEST_GRADE
    assert not [text for text in texts if words(text) > LONGEST_QUESTION]


@pytest.mark.parametrize("form_id", OWN)
def test_questions_speak_to_the_reader(form_id: str) -> None:
    for item in questions(form_id):
        assert item["text"][-1] in ".?", item["text"]
        assert not re.search(r"\b(I|my|me)\b", item["text"]), item["text"]
