"""Reports of other tools, read as what those tools claim, one file a form. A module of this folder is a form.

A form registers as `FORM`, a `Form`, with `parse(data)`, which is pure: bytes of a file in, what one or more tools claim out. It takes nothing for granted:
the file comes from elsewhere. Modules that begin with `_` are parts that forms share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from checks.imports._reading import MAX_BYTES, NotAReport, ToolClaims
from portalops.errors import ImportRefused
from portalops.model.message import msg
from portalops.plugins import Door

__all__ = ["FORMS", "MAX_BYTES", "Form", "ToolClaims", "read_claims"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of reports."""

    parse: Callable[[bytes], tuple[ToolClaims, ...]]
    """Returns what one or more tools claim, or raises `NotAReport`."""


FORMS: Final = Door("checks.imports", "FORM", Form)


def read_claims(form: str, data: bytes) -> tuple[ToolClaims, ...]:
    """Return what a report claims, by tool.

    Raises:
        ImportRefused: there is no such form, or the bytes are no report of it.
    """
    reader = FORMS.find(form, msg("there is no report format {form}", form=form[:60]), error=ImportRefused)
    if len(data) > MAX_BYTES:
        raise ImportRefused(
            msg("the report is larger than {limit} bytes", limit=MAX_BYTES),
            msg("Let the tool report one host, and only what it found to be wrong."),
        )
    try:
        return reader.parse(data)
    except NotAReport as error:
        raise ImportRefused(
            msg("this is not a report in the format {form}: {cause}", form=form, cause=error.message),
            msg("Name the report's format with --tool; there are: {forms}.", forms=", ".join(FORMS.names())),
        ) from error
