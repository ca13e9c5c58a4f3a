"""Write the JSON Schema of the configuration

Editors that know TOML (Taplo, Tombi) complete and check portalops.toml by it, if the file's first line is: #:schema
./portalops.schema.json

Example: portalops config schema --output portalops.schema.json

EXIT STATUS: 0 written, 4 the file cannot be written
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.configuration_schema import configuration_schema, schema_bytes
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.files import write_atomically
from portalops.locale import _
from portalops.model.message import msg
from portalops.reports.document import KeyValues, Paragraph

SCHEMA_FILE = Path("portalops.schema.json")


def schema(
    ctx: typer.Context,
    *,
    output: Annotated[Path, typer.Option(metavar="FILE", help=_("File to write"))] = SCHEMA_FILE,
) -> Result[Mapping[str, object]]:
    open_session(ctx)
    described = configuration_schema()
    write_atomically(output, schema_bytes(described))
    return Result(
        data=described,
        view=[
            KeyValues([(msg("Written"), str(output))]),
            Paragraph(
                msg(
                    "Begin portalops.toml with this line, and your editor knows its keys: #:schema ./{name}",
                    name=output.name,
                )
            ),
        ],
    )


VERB = Verb(schema)
