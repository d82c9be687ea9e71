"""HL7's R4 definitions as published, read from the jar in the Maven repository: what tests hold ours against."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.conftest import require

CHECKOUT = Path(__file__).resolve().parents[2]


@cache
def compile_r4() -> ModuleType:
    """The tool that made fhir_keta/definitions/r4/."""
    specification = importlib.util.spec_from_file_location("compile_r4", CHECKOUT / "tools" / "compile_r4.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def jar() -> Path:
    """The jar; the test is skipped, or fails where everything is required, when it has not been fetched."""
    group, artifact, version = compile_r4().SOURCE.split(":")
    folder = Path.home() / ".m2" / "repository" / group.replace(".", "/") / artifact / version
    file = folder / f"{artifact}-{version}.jar"
    missing = f"fetch HL7's R4 definitions: mvn dependency:get -Dtransitive=false -Dartifact={compile_r4().SOURCE}"
    require(None if file.is_file() else missing)
    return file


@cache
def structures() -> dict[str, dict[str, Any]]:
    """Every R4 StructureDefinition by url, complete."""
    module = compile_r4()
    found = module.definitions(jar(), module.STRUCTURES)
    return {item["url"]: item for item in found if item["resourceType"] == "StructureDefinition"}
