"""Records for and against each foreign profile, with the rule of every error that is to be found."""

from __future__ import annotations

from tests.foreign.case import ForeignCase
from tests.foreign.extension_cases import EXTENSION_CASES
from tests.foreign.limits import LIMIT_CASES, LIMIT_PROFILES
from tests.foreign.national_cases import NATIONAL_CASES
from tests.foreign.national_profiles import NATIONAL_PROFILES
from tests.foreign.profiles import DEFINITIONS as PROFILES
from tests.foreign.profiles import JsonObject
from tests.foreign.slice_value_cases import SLICE_VALUE_CASES, SLICE_VALUE_PROFILES
from tests.foreign.slicing_cases import SLICING_CASES
from tests.foreign.value_cases import VALUE_CASES

DEFINITIONS: tuple[JsonObject, ...] = (*PROFILES, *LIMIT_PROFILES, *NATIONAL_PROFILES, *SLICE_VALUE_PROFILES)
FOREIGN_CASES: tuple[ForeignCase, ...] = (
    *SLICING_CASES,
    *VALUE_CASES,
    *EXTENSION_CASES,
    *LIMIT_CASES,
    *NATIONAL_CASES,
    *SLICE_VALUE_CASES,
)
