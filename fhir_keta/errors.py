"""What can go wrong outside a verdict. Every message ends in what to do next."""


class KetaError(Exception):
    """Base of all errors this package raises on purpose; ``str()`` is one line for a person."""

    exit_code = 3


class UsageError(KetaError):
    """The call or the configuration is wrong: nothing was tried."""

    exit_code = 2


class InputError(KetaError):
    """A file or stream cannot be read at all (missing, unreadable, broken compression)."""

    exit_code = 2


class DefinitionError(KetaError):
    """A definition (profile, value set, questionnaire, package) is missing or cannot be used."""

    exit_code = 2


class ServerError(KetaError):
    """The server could not be reached, refused us, or is not what is needed; nothing more was tried."""

    exit_code = 3


def own_fault(error: BaseException) -> str:
    """One line on an error that is a fault of this package, without the error's own text, which may quote a record."""
    import traceback
    from pathlib import PurePath

    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(place.filename).name}:{place.lineno}"
    return f"a fault in fhir-keta itself ({type(error).__name__} in {where}). Please report it with this line."
