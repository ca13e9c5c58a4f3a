"""Typesets one folder in a process of its own, which gives its memory back: typst keeps what it laid out until its process ends.

    python -P _typeset.py FOLDER [FONT_FOLDER]...

Reads FOLDER/main.typ and what that reads, writes FOLDER/out.pdf, and prints what went wrong as JSON: texts that no font shows,
whether letters cannot be told apart in the file (complex scripts), and the first error.
"""

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import typst

MADE_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""What every file says of when it was made, so that the same document gives the same bytes."""
_NOT_SHOWN = re.compile(r'the text `("(?:[^"\\]|\\.)*")` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def main(folder: str, font_folders: list[str]) -> int:
    """Write the PDF; return 0, or 1 if there is none."""
    root = Path(folder)
    try:
        pdf = typst.compile(
            str(root / "main.typ"),
            root=folder,
            font_paths=font_folders,
            pdf_standards=["a-2a", "ua-1"],  # ISO 19005-2, level A, and ISO 14289-1
            timestamp=MADE_AT,
        )
    except typst.TypstError as error:
        said = error.diagnostic or error.message
        missing = "".join(sorted(set("".join(_read(found) for found in _NOT_SHOWN.findall(said)))))
        json.dump({"missing": missing, "complex": "missing codepoints" in said, "error": error.message}, sys.stdout)
        return 1
    (root / "out.pdf").write_bytes(pdf)
    return 0


def _read(quoted: str) -> str:
    """Return what a text in the form of Rust's `{:?}` says."""
    return _ESCAPED.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _LETTERS.get(found[2], found[2]), quoted[1:-1]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
