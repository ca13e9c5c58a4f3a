"""Write the JSON Schema of reports in the format json

It says what a program may rely on: every kind of block and of value.

Example: portalops report schema --output document.schema.json

EXIT STATUS: 0 written, 4 the file cannot be written
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.configuration_schema import schema_bytes
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import DescribedBy
from commands.cli.verb import Verb
from portalops.files import write_atomically
from portalops.locale import _
from portalops.model.message import msg
from portalops.reports.document import KeyValues
from portalops.reports.document_schema import DIALECT, document_schema

SCHEMA_FILE = Path("document.schema.json")


def schema(
    ctx: typer.Context,
    *,
    output: Annotated[Path, typer.Option(metavar="FILE", help=_("File to write"))] = SCHEMA_FILE,
) -> Result[Annotated[Mapping[str, object], DescribedBy(lambda: {"$ref": DIALECT})]]:
    open_session(ctx)
    described = document_schema()
    write_atomically(output, schema_bytes(described))
    return Result(data=described, view=[KeyValues([(msg("Written"), str(output))])])


VERB = Verb(schema)
