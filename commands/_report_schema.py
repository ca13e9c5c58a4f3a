"""`portalops report schema`: writes the JSON Schema of the format `json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands._result import Result
from commands._session import open_session
from portalops.locale import _
from portalops.model.message import msg
from portalops.reports.document import KeyValues
from portalops.system.files import write_atomically

SCHEMA_FILE = Path("document.schema.json")

HELP = _(
    "Write the JSON Schema of reports in the format json\n\nIt says what a program may rely on: every kind of block and of value."
    "\n\nExample: portalops report schema --output document.schema.json"
    "\n\nEXIT STATUS: 0 written, 4 the file cannot be written"
)


def schema(
    ctx: typer.Context,
    *,
    output: Annotated[Path, typer.Option(help=_("File to write"))] = SCHEMA_FILE,
) -> Result:
    from commands.config import schema_bytes  # noqa: PLC0415  # start-up time
    from portalops.reports.document_schema import document_schema  # noqa: PLC0415  # as above

    open_session(ctx)
    described = document_schema()
    write_atomically(output, schema_bytes(described))
    return Result(data=described, view=[KeyValues([(msg("Written"), str(output))])])
