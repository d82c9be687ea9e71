"""The accept path of whole records: what was found good once in this place is not looked at again.

Records of one kind repeat their codes, categories, units and references, and differ in ids and times. So a record is
taken apart at its root: each piece is checked on its own and remembered by its content, and the root is checked with
the pieces' names, and the contents only of those that a rule of the root looks into. All of it is the compiled
schema and the named functions, cut at the root: whatever is not accepted here, the full check decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_keta.validation.accept import ExtensionIsClean, is_clean
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.index import BY_SLICE, indexed
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

WORTH_BUILDING = 500
"""Records that are checked in full before their kind gets a memory: its schemas take as long to build."""

_REMEMBERED = 4_000  # contents a root element: a bound on memory
_ABOUT_CONTAINED = frozenset({"dom-2", "dom-3", "contained-id"})  # nothing to say where nothing is contained
_SAME_INSTANCE = ("allOf", "anyOf", "oneOf")

try:
    from orjson import dumps
except ImportError:  # PyPy, Pyodide: no such memory, the full check decides
    AVAILABLE = False
else:
    AVAILABLE = True

# a piece's slices by name, each with as many entries as it has elements; empty where nothing is sliced
_Slices = dict[str, list[bool]]


@dataclass(slots=True)
class Pieces:
    """The memory of one compiled profile. ``skip`` are root elements that the caller answers for.

    ``engines`` are shared with other profiles by schema: most elements of most profiles are the same.
    """

    compiled: Compiled
    terminology: Terminology
    extension_is_clean: ExtensionIsClean
    engines: dict[bytes, Engine]
    _root: Engine | None = None
    _asked: int = 0
    _looked_into: frozenset[str] = frozenset()
    _engines: dict[str, Engine] = field(default_factory=dict)
    _known: dict[str, dict[str | bytes, tuple[_Slices, int]]] = field(default_factory=dict)
    _known_roots: set[tuple[Any, ...]] = field(default_factory=set)

    def accept(self, resource: JsonObject, scope: Scope, skip: str = "") -> int:
        """Not 0 where nothing is wrong with a record that stands alone: no contained resources, in no Bundle.

        It is the number of colons that the record's JSON has, ``skip`` left out: see ``records.parse.colons``.
        """
        if self._root is None:
            self._asked += 1
            if self._asked <= WORTH_BUILDING:
                return 0
            self._root = self._compile_root()
        shallow: JsonObject = {}
        signature: list[Any] = []
        colons = len(resource)
        for key, value in resource.items():
            looked_into = key in self._looked_into
            shallow[key] = value if looked_into else True
            signature.append(key)
            if key == skip or key == "resourceType":
                continue
            content = value if type(value) is str else dumps(value)
            piece = self._piece(key, value, content)
            if piece is None:
                return 0
            slices, inside = piece
            colons += inside
            if slices:
                shallow[f"{key}{BY_SLICE}"] = slices
            if looked_into or slices:
                signature.append(content)
        root = tuple(signature)
        if root not in self._known_roots:
            if skip in self._looked_into or not self._root.is_valid(shallow):
                return 0
            if len(self._known_roots) < _REMEMBERED:
                self._known_roots.add(root)
        for invariant in self.compiled.functions.invariants:
            if invariant.key not in _ABOUT_CONTAINED and not invariant.holds(resource, scope):
                return 0
        return colons

    def _piece(self, key: str, value: Any, content: str | bytes) -> tuple[_Slices, int] | None:
        """An accepted piece's slices, and how many colons it holds; None for one that is not accepted."""
        known = self._known.get(key)
        if known is None:
            if key[0] == "_" or key not in self.compiled.schema["properties"]:
                return None  # companions are judged with their element
            known = self._known[key] = {}
        found = known.get(content)
        if found is None:
            slices = self._checked(key, value)
            if slices is None:
                return None
            found = slices, content.count(":") if isinstance(content, str) else content.count(b":")
            if len(known) < _REMEMBERED:
                known[content] = found
        return found

    def _checked(self, key: str, value: Any) -> _Slices | None:
        engine = self._engines.get(key)
        if engine is None:
            schema = _piece_schema(self.compiled.schema, key)
            engine = self.engines.get(same := dumps(schema))
            if engine is None:
                engine = self.engines[same] = compile_schema(schema)
            self._engines[key] = engine
        piece = {key: value}
        with_slices = indexed(piece, self.compiled.index)
        if not engine.is_valid(with_slices):
            return None
        plan = self.compiled.functions
        alone = replace(plan, invariants=[], choices=[])
        if not is_clean(piece, alone, Scope(piece, piece), self.terminology, self.extension_is_clean):
            return None
        return {name: [True] * len(items) for name, items in with_slices.get(f"{key}{BY_SLICE}", {}).items()}

    def _compile_root(self) -> Engine:
        schema = self.compiled.schema
        root = {keyword: content for keyword, content in schema.items() if keyword not in ("$defs", "properties")}
        root["properties"] = dict.fromkeys(schema["properties"], True)
        demands = [*root.get("allOf", ()), *root.get("dependentSchemas", {}).values()]
        self._looked_into = frozenset(name for demand in demands for name in _looked_into(demand))
        return compile_schema(root)


def _looked_into(schema: Any) -> Iterator[str]:
    """The properties whose content a schema looks at, beyond whether they are there."""
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", ())
    for keyword in _SAME_INSTANCE:
        for part in schema.get(keyword, ()):
            yield from _looked_into(part)
    for keyword in ("not", "if", "then", "else"):
        yield from _looked_into(schema.get(keyword))


def _piece_schema(schema: JsonObject, key: str) -> JsonObject:
    """The schema of one root element, with the shared definitions that it needs."""
    properties = {
        name: schema["properties"][name] for name in (key, f"{key}{BY_SLICE}") if name in schema["properties"]
    }
    definitions: JsonObject = {}
    pending = list(_references(properties))
    while pending:
        name = pending.pop()
        if name not in definitions:
            definitions[name] = schema["$defs"][name]
            pending.extend(_references(definitions[name]))
    return {"properties": properties, "$defs": definitions}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix("#/$defs/")
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)
