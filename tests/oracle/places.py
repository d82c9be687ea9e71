"""What stands in a record at the FHIRPath of a finding, of ours or of HL7's validator."""

from __future__ import annotations

import re
from typing import Any

_COMMENT = re.compile(r"/\*.*?\*/")
_TYPE = re.compile(r"(\w+)\.ofType\((\w+)\)")
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def at(record: Any, expression: str) -> Any:
    """The value of the element as JSON has it, None where there is none; of a primitive without value its ``_name``."""
    plain = _TYPE.sub(lambda found: found[1] + found[2][:1].upper() + found[2][1:], _COMMENT.sub("", expression))
    node = record
    for name, index in _STEP.findall(plain)[1:]:
        if isinstance(node, list):
            node = node[0] if node else None
        if not isinstance(node, dict):
            return None
        node = node.get(name, node.get(f"_{name}"))
        if index and isinstance(node, list):
            node = node[int(index)] if int(index) < len(node) else None
    return node


def above(expression: str, name: str) -> str:
    """The expression up to the last element of this name, with it; empty where there is none."""
    found = re.match(rf"(.*\.{name}(?:\[\d+\])?)(?:\.|$)", expression)
    return found[1] if found else ""
