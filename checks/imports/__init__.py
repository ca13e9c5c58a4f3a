"""Reports of other tools, read as what those tools claim, one file a form. A module of this folder is a form.

A form has `parse(data)`, which is pure: bytes of a file in, what one or more tools claim out. It takes nothing for granted:
the file comes from elsewhere. Modules that begin with `_` are parts that forms share.
"""

from __future__ import annotations

from checks.imports._reading import MAX_BYTES, NotAReport, ToolClaims
from portalops.config.kinds import kinds_in, module_of
from portalops.errors import ImportRefused
from portalops.model.message import msg

__all__ = ["MAX_BYTES", "ToolClaims", "forms", "read_claims"]


def forms() -> tuple[str, ...]:
    """Return the forms that there are, by name."""
    return kinds_in(__name__)


def read_claims(form: str, data: bytes) -> tuple[ToolClaims, ...]:
    """Return what a report claims, by tool.

    Raises:
        ImportRefused: there is no such form, or the bytes are no report of it.
    """
    if form not in forms():
        raise ImportRefused(
            msg("there is no report format {form}", form=form[:60]),
            msg("The formats are: {forms}.", forms=", ".join(forms())),
        )
    if len(data) > MAX_BYTES:
        raise ImportRefused(
            msg("the report is larger than {limit} bytes", limit=MAX_BYTES),
            msg("Let the tool report one host, and only what it found to be wrong."),
        )
    try:
        found: tuple[ToolClaims, ...] = module_of(__name__, form).parse(data)
    except NotAReport as error:
        raise ImportRefused(
            msg("this is not a report in the format {form}: {cause}", form=form, cause=error.message),
            msg("Name the report's format with --tool; there are: {forms}.", forms=", ".join(forms())),
        ) from error
    return found
