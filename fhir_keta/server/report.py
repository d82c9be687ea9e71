"""The results of an upload for programs: a JSON document, and JUnit XML as CI servers show it.

Resources are named by their identity and their place in the input, never by what they say.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from fhir_keta.server.plan import Plan
from fhir_keta.server.result import Report, Result
from fhir_keta.xml_text import attribute, content

JsonObject = dict[str, Any]

# what JUnit has for a status; "failure" for all others
_KINDS = {
    **dict.fromkeys(("created", "updated", "unchanged"), "passed"),
    **dict.fromkeys(("skipped", "not tried"), "skipped"),
    "unknown": "error",
}


def write_json(plan: Plan, report: Report, stream: TextIO) -> None:
    """Write one document: the server, whether it now has everything, counts, and an object for each resource.

    ``method``, ``url``, ``httpStatus`` and ``milliseconds`` are those of the request that it was sent in, alone or with
    others, and null where nothing was sent; ``outcome`` is what the server, or this program, said of it.
    """
    document = {
        "server": plan.server,
        "software": plan.software,
        "complete": report.complete,
        "stopped": _stopped(report),
        "counts": dict(sorted(report.counts().items())),
        "results": [_object(result) for result in report.results],
    }
    json.dump(document, stream, indent=1)
    stream.write("\n")


def write_junit(plan: Plan, report: Report, stream: TextIO) -> None:
    """Write one testsuite with a testcase for each resource: a failure where the server lacks it or has it otherwise,
    skipped where it was not tried, an error where it is not known what became of it, and for what stopped the upload.
    """
    cases = [_case(result) for result in report.results]
    kinds = Counter(_KINDS.get(result.status, "failure") for result in report.results)
    stopped = _stopped(report)
    if stopped is not None:
        cases.append(_testcase("upload", plan.server, 0.0, _problem("error", "stopped", stopped)))
        kinds["error"] += 1
    counts = f'tests="{len(cases)}" failures="{kinds["failure"]}" errors="{kinds["error"]}"'
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f"<testsuites {counts}>\n")
    stream.write(f'<testsuite name="fhir-keta upload" {counts} skipped="{kinds["skipped"]}">\n')
    stream.writelines(cases)
    stream.write("</testsuite>\n</testsuites>\n")


WRITERS: dict[str, Callable[[Plan, Report, TextIO], None]] = {"json": write_json, "junit": write_junit}
"""The formats by name."""


def _object(result: Result) -> JsonObject:
    return {
        "resource": result.entry.incoming.label,
        "source": _source(result) or None,
        "action": result.action,
        "status": result.status,
        "id": result.id,
        "version": result.version,
        "method": result.method or None,
        "url": result.url or None,
        "httpStatus": result.http_status,
        "milliseconds": None if result.milliseconds is None else round(result.milliseconds, 1),
        "outcome": result.message or None,
    }


def _source(result: Result) -> str:
    place = result.entry.incoming.place
    if place is None:
        return ""
    return place.path if place.line is None else f"{place.path}:{place.line}"


def _stopped(report: Report) -> str | None:
    if report.stopped is None:
        return None
    return "interrupted" if isinstance(report.stopped, KeyboardInterrupt) else str(report.stopped)


def _case(result: Result) -> str:
    kind, said = _KINDS.get(result.status, "failure"), result.message or result.status
    if kind == "passed":
        inside = ""
    elif kind == "skipped":
        inside = f"<skipped message={attribute(said)}/>\n"
    else:
        inside = _problem(kind, result.status, said)
    request = list(_request(result))
    if request:
        inside += f"<system-out>{content(request)}</system-out>\n"
    seconds = (result.milliseconds or 0.0) / 1000
    return _testcase(result.entry.incoming.label, _source(result) or "fhir-keta", seconds, inside)


def _request(result: Result) -> Iterator[str]:
    if result.method:
        yield f"{result.method} {result.url}"
    if result.http_status is not None:
        yield f"HTTP {result.http_status}"


def _problem(element: str, kind: str, said: str) -> str:
    return f"<{element} type={attribute(kind)} message={attribute(said)}>{content([said])}</{element}>\n"


def _testcase(name: str, group: str, seconds: float, inside: str) -> str:
    names = f"name={attribute(name)} classname={attribute(group)}"
    return f'<testcase {names} time="{seconds:.3f}">\n{inside}</testcase>\n'
