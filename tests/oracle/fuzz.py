"""Mutants judged by HL7's validator and by ours: one run, its figures, and every disagreement with how to repeat it.

    python -m tests.oracle.fuzz [--seed SEED] [--count COUNT]      a run (make fuzz): by default a random seed
    python -m tests.oracle.fuzz --seed SEED --mutant NUMBER        one mutant, with what each says

FHIR_KETA_FUZZ_SEED and FHIR_KETA_FUZZ_COUNT in the environment do the same.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

from fhir_keta import Validator
from fhir_keta.definitions.library import bundled
from fhir_keta.questionnaires.enablement import item_states
from fhir_keta.questionnaires.items import read_items
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.rules import RULES
from tests import java
from tests.oracle.listed import rows
from tests.oracle.mutants import Mutant, Mutants
from tests.oracle.oracle import DEFINITIONS, Oracle, OracleIssue
from tests.oracle.verdicts import broke_down, judged_responses

BREAKS_DOWN = re.compile(r"the validator failed: \S*(Exception|Error)|incompatible types")

_RULES_OF = {
    "structure": r"element-(unknown|type|empty)|primitive-alignment|choice-multiple|json-.*|resource-type-.*",
    "primitive": r"primitive-format|uri-absolute",
    "cardinality": r"cardinality-.*|element-prohibited",
    "binding": r"binding-required|code-unknown|display-wrong",
    "pattern": r"value-.*|choice-type",
    "slice": r"slice-.*",
    "reference": r"reference-.*|ref-1|bundle-full-url|bdl-\d+",
    "extension": r"extension-.*|ext-1",
    "response": r"response-.*",
}


FAMILY_OF_RULES = (*_RULES_OF, "invariant")


def rule_family(rule: str) -> str:
    """The family of a rule; constraints of definitions are invariants."""
    named = (family for family, rules in _RULES_OF.items() if re.fullmatch(rules, rule))
    return next(named, "other" if rule in RULES else "invariant")


@dataclass
class Run:
    """What a run has found: mutants by family, refused ones by family of rule, valid ones, and the differences."""

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    valid: int = 0
    given_up: int = 0
    unknown: list[str] = field(default_factory=list)

    def add(self, other: Run) -> None:
        self.tried += other.tried
        self.refused += other.refused
        self.kinds += other.kinds
        self.valid += other.valid
        self.given_up += other.given_up
        self.unknown += other.unknown

    @property
    def agreement(self) -> float:
        compared = self.tried.total() - self.given_up
        return 1 - (self.kinds.total() + len(self.unknown)) / max(1, compared)

    def lines(self) -> Iterator[str]:
        total = self.tried.total()
        yield f"{total} mutants, {self.valid} valid; HL7's validator broke down on {self.given_up}"
        yield f"same verdict: {self.agreement:.2%}; listed differences {self.kinds.total()}, others {len(self.unknown)}"
        yield "mutants aimed at: " + ", ".join(f"{name} {count}" for name, count in sorted(self.tried.items()))
        yield "refused by: " + ", ".join(f"{name} {count}" for name, count in sorted(self.refused.items()))
        for name, count in self.kinds.most_common():
            yield f"  {count} listed: {name}"
        yield from self.unknown


class Comparison:
    """Both validators, with the generated questionnaires of a seed; the oracle's definitions stand in ``folder``."""

    def __init__(self, mutants: Mutants, oracle: Oracle, folder: Path) -> None:
        for number, questionnaire in enumerate(mutants.questionnaires):
            (folder / f"questionnaire-{number}.json").write_text(json.dumps(questionnaire), encoding="utf-8")
        self.mutants = mutants
        self._oracle = oracle.with_definitions([folder, *DEFINITIONS])
        self._library = bundled().with_resources(mutants.questionnaires)
        self._validator = Validator(self._library)

    def run(self, numbers: Sequence[int]) -> Run:
        """Judge these mutants."""
        result = Run()
        for number in numbers:
            mutant = self.mutants.mutant(number)
            result.tried[mutant.family] += 1
            self._compare(mutant, result)
        return result

    def verdicts(self, mutant: Mutant) -> tuple[list[Issue], list[OracleIssue]]:
        """The errors of ours and of HL7's validator. Raises JavaError where that breaks down."""
        ours = [issue for issue in self._validator.check(mutant.data) if issue.severity in ("error", "fatal")]
        found = self._oracle.check(mutant.data)
        theirs = [issue for issue in found if issue.is_error]
        if not theirs and broke_down(found):
            raise java.JavaError("the validator failed: Exception, given as a warning")
        return ours, theirs

    def _compare(self, mutant: Mutant, result: Run) -> None:
        try:
            ours, theirs = self.verdicts(mutant)
        except java.JavaError as error:
            if not BREAKS_DOWN.search(str(error)):
                raise
            result.given_up += 1
            return
        result.valid += not ours
        for family in {rule_family(issue.rule) for issue in ours}:
            result.refused[family] += 1
        if mutant.family == "response":
            ours, theirs = self._judged(mutant, ours, theirs)
        if bool(ours) is bool(theirs):
            return
        listed = rows(str(mutant), mutant.record, ours, theirs)
        if listed is not None:
            result.kinds[listed[0].rule] += 1
            return
        texts = [f"{i.expression} {i.rule}" for i in ours] + [
            f"{i.expression} [{i.message_id}] {i.message[:150]}" for i in theirs
        ]
        side = "only ours" if ours else "only HL7's"
        again = f"python -m tests.oracle.fuzz --seed {self.mutants.seed} --mutant {mutant.number}"
        result.unknown.append(f"{mutant.family}, {mutant}: {side}: {'; '.join(texts[:4])} ({again})")

    def _judged(
        self, mutant: Mutant, ours: list[Issue], theirs: list[OracleIssue]
    ) -> tuple[list[Issue], list[OracleIssue]]:
        questionnaire = self._library.find(mutant.record["questionnaire"])
        assert questionnaire is not None
        states = list(item_states(read_items(questionnaire), mutant.record))
        return judged_responses(states, ours, theirs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 1 when there is a difference that no table lists."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.fuzz", description=(__doc__ or "").splitlines()[0])
    seed = os.environ.get("FHIR_KETA_FUZZ_SEED") or SystemRandom().randrange(10**6)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--count", type=int, default=os.environ.get("FHIR_KETA_FUZZ_COUNT") or 20_000)
    parser.add_argument("--mutant", type=int, help="only this one, with both verdicts")
    options = parser.parse_args(arguments)
    write = sys.stdout.write
    write(f"seed {options.seed}\n")
    with Oracle() as oracle, tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(Mutants(options.seed), oracle, Path(folder))
        if options.mutant is not None:
            mutant = comparison.mutants.mutant(options.mutant)
            write(f"{mutant.family}, {mutant}\n{json.dumps(mutant.record, indent=1)}\n")
            ours, theirs = comparison.verdicts(mutant)
            write("".join(f"ours: {issue.rule} {issue.expression} {issue.message}\n" for issue in ours))
            write("".join(f"HL7's: {issue}\n" for issue in theirs))
            return 0
        start = time.perf_counter()
        found = comparison.run(range(options.count))
    write("".join(f"{line}\n" for line in found.lines()))
    write(f"{options.count / (time.perf_counter() - start):.0f} mutants a second\n")
    return 1 if found.unknown else 0


if __name__ == "__main__":
    raise SystemExit(main())
