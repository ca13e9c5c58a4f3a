"""Draws one folder's pages as PNG in a process of its own, which gives its memory back: typst keeps what it drew until its process ends.

    python -P _draw.py FOLDER DOTS_PER_INCH

Reads FOLDER/main.typ and what that reads, and writes FOLDER/0.png, 1.png and so on, a page each.
"""

import sys
from pathlib import Path
from typing import cast


def draw(folder: str, dots_per_inch: float) -> list[bytes]:
    """Return each page of FOLDER/main.typ as PNG, drawn with the fonts that typst brings."""
    import typst  # noqa: PLC0415  # an extra

    drawn = typst.compile(
        str(Path(folder) / "main.typ"), root=folder, format="png", ppi=dots_per_inch, ignore_system_fonts=True
    )
    made = cast("bytes | list[bytes]", drawn)  # a list where there is more than one page
    return [made] if isinstance(made, bytes) else made


def main(folder: str, dots_per_inch: float) -> int:
    """Write the pages; return 0."""
    for number, page in enumerate(draw(folder, dots_per_inch)):
        (Path(folder) / f"{number}.png").write_bytes(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
