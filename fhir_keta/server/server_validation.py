"""Has the server itself check what is to be written, before anything is: its ``$validate``, with its definitions."""

from __future__ import annotations

from collections.abc import Callable

from fhir_keta.errors import ServerError
from fhir_keta.server import message
from fhir_keta.server.client import Client, Refused, Resource, outcome_text
from fhir_keta.server.plan import Entry, Plan
from fhir_keta.server.result import Report, Result, Status


def refused_by_validation(planned: Plan, client: Client, progress: Callable[[], object] | None = None) -> Report | None:
    """A report in which what the server's validation refuses is refused and the rest not tried; None when all is well.

    Only records that would be written are checked: servers cannot validate a definition before it is there.
    ``progress`` is called after each. Raises ServerError when the server does not validate.
    Source: FHIR R4, Resource operation $validate.
    """
    refused: dict[int, str] = {}
    for group in planned.groups:
        for entry in group.entries:
            if entry.action in ("create", "update") and not entry.incoming.is_definition:
                said = _errors(_validated(entry, planned, client))
                if said:
                    refused[id(entry)] = said
            if progress is not None:
                progress()
    if not refused:
        return None
    return Report(tuple(_result(entry, refused.get(id(entry))) for entry in planned.entries))


def _validated(entry: Entry, planned: Plan, client: Client) -> Resource:
    try:
        return client.validate(entry.incoming.type, message.single(entry, planned.moved))
    except Refused as error:
        raise ServerError(
            f"{client.base} does not validate (HTTP {error.status}: {str(error).rstrip('.')}). Nothing was written. "
            "Leave --validate-on-server out."
        ) from error


def _errors(outcome: Resource) -> str:
    wrong = [issue for issue in outcome.get("issue", ()) if issue.get("severity") in ("error", "fatal")]
    return outcome_text({**outcome, "issue": wrong}) if wrong else ""


def _result(entry: Entry, said: str | None) -> Result:
    if said is not None:
        return Result(entry, "refused", message=said)
    kept: dict[str, Status] = {"unchanged": "unchanged", "conflict": "conflict", "unsupported": "refused"}
    return Result(entry, kept.get(entry.action, "not tried"), message=entry.reason if entry.action in kept else "")
