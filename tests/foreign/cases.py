"""Records for and against each foreign profile, with the rule of every error that is to be found."""

from __future__ import annotations

from tests.foreign.case import ForeignCase
from tests.foreign.extension_cases import EXTENSION_CASES
from tests.foreign.slicing_cases import SLICING_CASES
from tests.foreign.value_cases import VALUE_CASES

FOREIGN_CASES: tuple[ForeignCase, ...] = (*SLICING_CASES, *VALUE_CASES, *EXTENSION_CASES)
