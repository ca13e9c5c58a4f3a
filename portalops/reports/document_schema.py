"""The JSON Schema of a document as data: what `formats/json.py` writes, for programs that read it. Pure.

It names every kind of block and of cell that this release writes, and no other; that a row has as many cells as its table has
headers cannot be said in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portalops.locale import LANGUAGES
from portalops.reports.document import Tone
from portalops.reports.formats.json import SCHEMA

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Node = Mapping[str, Any]

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = _DAY + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?\+00:00"

_TEXT: Node = {"type": "string"}
_COUNT: Node = {"type": "integer", "minimum": 0}
_NUMBER: Node = {"type": "number"}
_CELL: Node = {"$ref": "#/$defs/cell"}
_TONE: Node = {"$ref": "#/$defs/tone"}
_FACTS: Node = {"$ref": "#/$defs/facts"}
_UNIT: Node = {
    "type": "string",
    "description": "A sign that is the same in every language, such as % or s; it may be empty.",
}


def document_schema() -> Node:
    """Return the schema of a whole document, in JSON Schema 2020-12."""
    blocks = _blocks()
    return {
        "$schema": DIALECT,
        "title": SCHEMA,
        "description": "A report of portalops as data: the blocks that a reader sees, in their order.",
        **_object(
            {
                "schema": {"const": SCHEMA, "description": "Changes when a key changes its meaning."},
                "language": {"enum": list(LANGUAGES), "description": "Of all sentences."},
                "zone": {"type": "string", "description": "IANA name of the portal's time zone, which other formats show."},
                "title": _TEXT,
                "blocks": _list({"oneOf": [{"$ref": f"#/$defs/{name}"} for name in blocks]}),
                "footer": {**_FACTS, "description": "What each printed page repeats, such as the head code."},
            }
        ),
        "$defs": {
            "tone": {
                "enum": [tone.value for tone in Tone],
                "description": "What a word means for the reader; the word alone says as much.",
            },
            "cell": _cell(),
            "facts": _list(_object({"label": _TEXT, "value": _CELL})),
            **blocks,
        },
    }  # fmt: skip


def _cell() -> Node:
    return {
        "description": (
            "A text, a number, a day (2026-11-30), a moment in UTC (2026-11-30T17:00:00+00:00), or nothing; a state with its tone,"
            " a number of bytes, a measured number with its unit, or the way to a file beside the document."
        ),
        "oneOf": [
            {"type": ["string", "integer", "null"]},
            _object({"word": _TEXT, "tone": _TONE}),
            _object({"bytes": {"type": "integer"}}),
            _object({"value": _NUMBER, "unit": _UNIT}),
            _object({"path": _TEXT}),
        ],
    }


def _blocks() -> Mapping[str, Node]:
    """Return the kinds of blocks by the name that stands as their `type`."""
    mark = _object({"sign": _TEXT, "tone": _TONE, "meaning": _TEXT})
    line = _object({"name": _TEXT, "tone": _TONE, "values": _list({"type": ["number", "null"]})})
    part = _object({"tone": _TONE, "word": _TEXT, "count": _COUNT})
    return {
        "heading": _block("heading", {"level": {"type": "integer", "minimum": 1}, "text": _TEXT}),
        "paragraph": _block("paragraph", {"text": _TEXT}),
        "verbatim": _block("verbatim", {"text": _TEXT}, "Lines to be copied as they are."),
        "bullets": _block("bullets", {"items": _list(_TEXT)}),
        "key-values": _block("key-values", {"rows": _FACTS}, "Labelled facts."),
        "table": _block(
            "table",
            {"caption": _TEXT, "headers": _list(_TEXT), "rows": _list(_list(_CELL))},
            "Each row has a cell for each header.",
        ),
        "notice": _block("notice", {"tone": _TONE, "text": _TEXT}, "What a reader must not miss."),
        "grid": _block(
            "grid",
            {
                "caption": _TEXT,
                "columns": _list(_CELL),
                "rows": _list(_object({"label": _CELL, "marks": _list({"oneOf": [mark, {"type": "null"}]})})),
                "legend": _list(_object({"sign": _TEXT, "meaning": _TEXT})),
                "shaded": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[0-9]+$"},
                    "additionalProperties": _TEXT,
                    "description": "Columns that stand apart, by their index from 0 on, and why.",
                },
            },
            "A matrix, such as units and days; each row has a mark, or null where nothing applies, for each column.",
        ),
        "bars": _block(
            "bars",
            {"caption": _TEXT, "rows": _list(_object({"label": _TEXT, "parts": _list(part)}))},
            "Counts, split by what they mean.",
        ),
        "lines": _block(
            "lines",
            {
                "caption": _TEXT,
                "unit": _UNIT,
                "moments": _list({"type": "string", "pattern": f"^({_DAY}|{_MOMENT})$"}),
                "lines": _list(line),
                "limits": _list(_object({"name": _TEXT, "value": _NUMBER})),
            },
            "Numbers over time; each line has a value for each moment, or null where it is not known.",
        ),
        "qr-code": _block("qr-code", {"caption": _TEXT, "text": _TEXT}, "What a printed report has as a code."),
        "signatures": _block(
            "signatures",
            {"places": _list(_object({"office": _TEXT, "holder": {"type": ["string", "null"]}}))},
            "Room to sign on paper; the holder is null where it is not known.",
        ),
    }


def _block(name: str, keys: Mapping[str, Node], about: str = "") -> Node:
    return {**({"description": about} if about else {}), **_object({"type": {"const": name}, **keys})}


def _object(keys: Mapping[str, Node]) -> Node:
    """Return an object that has these keys, all of them and no other."""
    required: Sequence[str] = list(keys)
    return {"type": "object", "properties": dict(keys), "required": required, "additionalProperties": False}


def _list(of: Node) -> Node:
    return {"type": "array", "items": of}
