"""Structures ready to check with, each compiled when it is first asked for.

What a schema compiles to takes most memory: of those only the ones met last are kept, and others made again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from fhir_keta.definitions.library import MALFORMED, Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.compiler import DataTypes
from fhir_keta.validation.engine import Engine, compile_schema

JsonObject = dict[str, Any]

_MOST_KEPT = 50_000
"""Schema objects in the engines that are kept, of about 1.6 kB each: those of a hundred resource types."""


@dataclass(frozen=True, slots=True)
class Checker:
    """A compiled structure with its engine."""

    compiled: Compiled
    _engines: _Engines

    @property
    def engine(self) -> Engine:
        return self._engines.of(self.compiled)


class Checkers:
    """The checkers of a library's structures. Extensions inside others are checked by their own definition."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._types = DataTypes(library, extensions_apart=True)
        self._engines = _Engines()
        self._checkers: dict[str, Checker | None] = {}
        self._one_at_a_time = Lock()

    def find(self, canonical: str) -> Checker | None:
        """The checker of a type ("Observation") or canonical; None where that is not known.

        Raises DefinitionError when the definition cannot be used.
        """
        if canonical not in self._checkers:
            with self._one_at_a_time:
                if canonical not in self._checkers:
                    structure = self._library.structure(canonical)
                    checker = Checker(self._compiled(structure), self._engines) if structure else None
                    self._checkers[canonical] = checker
        return self._checkers[canonical]

    def _compiled(self, structure: JsonObject) -> Compiled:
        try:
            return self._types.structure(structure)
        except MALFORMED as error:
            raise DefinitionError(
                f"The definition {structure['url']} is malformed. Check its file with fhir-keta validate."
            ) from error


class _Engines:
    """The engines of the structures used last, by ``id()`` of those, which live as long as these."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Compiled, Engine]] = OrderedDict()
        self._size = 0
        self._one_at_a_time = Lock()

    def of(self, compiled: Compiled) -> Engine:
        with self._one_at_a_time:
            found = self._kept.get(id(compiled))
            if found is None:
                found = self._kept[id(compiled)] = compiled, compile_schema(compiled.schema)
                self._size += compiled.size
                while self._size > _MOST_KEPT and len(self._kept) > 1:
                    self._size -= self._kept.popitem(last=False)[1][0].size
            else:
                self._kept.move_to_end(id(compiled))
        return found[1]
