"""The command ``fhir-keta``: which commands there are, and how a run ends.

A command's module is imported only when it is called, so that the others' imports cost nothing.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from fhir_keta._version import __version__
from fhir_keta.errors import KetaError, own_fault

COMMANDS = {
    "validate": "Check FHIR R4 records against base R4, profiles and questionnaires.",
    "explain": "Say what a rule means, why it exists, and how to mend what it finds.",
    "schema": "Write JSON Schemas of the profiles and questionnaires, for any language.",
    "upload": "Load definitions and records into a FHIR server.",
    "remove": "Take back what an upload created on a FHIR server.",
    "package": "Build the FHIR package that other tools and servers install.",
    "demo": "Show the whole job on a server that runs inside this program.",
}
"""Name to one line of help. Each lives in the module of its name in ``fhir_keta.cli``, as a function of its name."""

INTERRUPTED = 130
READER_GONE = 141
"""What a shell reports for a program ended by Ctrl-C, or by the end of whoever read its output."""

_NEW_OBJECTS = 50_000
"""Between two looks for garbage: what a run makes first are definitions, and those it keeps."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _Failure(click.ClickException):
    """A KetaError as click shows it: one line on standard error, and its exit code."""

    def __init__(self, error: KetaError) -> None:
        super().__init__(" ".join(str(error).split()))
        self.exit_code = error.exit_code  # type: ignore[misc]


class _Commands(click.Group):
    """Finds commands by module name; one whose module is not there is not offered."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if _is_there(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or not _is_there(cmd_name):
            return None
        command = getattr(import_module(f"fhir_keta.cli.{cmd_name}"), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"fhir_keta.cli.{cmd_name}.{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a letter that the terminal's encoding lacks is no reason to fail
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except KetaError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _write_nowhere()
            ctx.exit(READER_GONE)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                _write_nowhere()
                said = f"the output could not be written ({error.strerror}). Make room, or write it elsewhere."
            else:  # a fault of ours: shown as such, and not to be taken for findings (1)
                said = own_fault(error)
            click.echo(f"Error: {said}", err=True)
            ctx.exit(KetaError.exit_code)


def _write_nowhere() -> None:
    """The interpreter flushes once more when it ends: give it something that can be written to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_there(name: str) -> bool:
    return find_spec(f"fhir_keta.cli.{name}") is not None


@click.group(cls=_Commands, context_settings={"auto_envvar_prefix": "FHIR_KETA", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fhir-keta", message="%(prog)s %(version)s", allow_from_autoenv=False)
def main() -> None:
    """FHIR definitions for ketamine infusions: validate records, load them into a server.

    Exit codes: 0 fine, 1 findings or refused resources, 2 wrong usage or configuration, 3 could not run.
    """
    gc.set_threshold(_NEW_OBJECTS)
