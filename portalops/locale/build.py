"""Compiles the Vietnamese fragments into the catalogue, and says what is wrong with them.

`python -m portalops.locale.build` writes `vi/LC_MESSAGES/portalops.mo` from `vi/*.po`, one fragment a
part of the program, and prints every problem; with `--check` it writes nothing. The compiled file is
committed, because reading one binary file keeps the start-up short. Babel is needed here and in tests
alone, never when portalops runs.

A sentence without a word of its own, such as `{host}: {problem}`, needs no translation. One that has words
and is meant to be the same in both languages carries the translator's comment `# same in both`.
"""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from portalops.files import write_atomically
from portalops.locale import CATALOGUE
from portalops.model.text import paragraphs_of

FRAGMENTS = Path(__file__).parent / "vi"
ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("portalops", "commands", "checks", "backups", "scripts")
KEYWORDS: Mapping[str, int] = {"msg": 1, "nmsg": 2, "_": 1}
"""The calls whose first arguments are templates, and how many of them."""
SAME = "same in both"
FORMER = "former.po"
"""The fragment with sentences that the code no longer has: records of earlier versions hold them as templates."""

_HEADER = (
    "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
    "Language: vi\nPlural-Forms: nplurals=1; plural=0;\n"
)
_NO_NOUNS = ("commands/__init__.py", "commands/cli/", "commands/jobs/", "commands/doctor/diagnostics/")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A translatable literal in the code."""

    text: str
    plural: str | None
    place: str
    """File and line of its first use."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One entry of a fragment."""

    text: str
    plural: str | None
    vietnamese: str
    is_same: bool
    fragment: str


def read_fragments(folder: Path = FRAGMENTS) -> tuple[tuple[Translation, ...], tuple[str, ...]]:
    """Read all fragments in the order of their names; return the entries and what contradicts or can't be read."""
    found: dict[str, Translation] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.po")):
        try:
            with path.open("rb") as file:
                catalog = read_po(file, locale="vi", charset="utf-8", abort_invalid=True)
        except (PoFileError, UnicodeDecodeError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        for entry in _entries(catalog, path.name):
            if not entry.vietnamese:
                problems.append(f"{path.name}: empty or fuzzy: {entry.text!r}")
                continue
            known = found.get(entry.text)
            if known and known.vietnamese != entry.vietnamese:
                problems.append(
                    f"{entry.fragment} and {known.fragment} translate {entry.text!r} differently: "
                    f"{entry.vietnamese!r}, {known.vietnamese!r}"
                )
            elif known is None or known.plural is None:
                found[entry.text] = entry
    return tuple(found.values()), tuple(problems)


def _entries(catalog: Catalog, fragment: str) -> Iterator[Translation]:
    for entry in catalog:
        if not entry.id:
            continue
        ids = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
        strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        yield Translation(
            text=str(ids[0]),
            plural=str(ids[1]) if len(ids) > 1 else None,
            vietnamese="" if entry.fuzzy else str(strings[0]),
            is_same=any(SAME in comment for comment in entry.user_comments),
            fragment=fragment,
        )


def compile_catalogue(translations: Sequence[Translation]) -> bytes:
    """Return the catalogue's bytes; the same translations give the same bytes."""
    catalog = Catalog(locale="vi", charset="utf-8", fuzzy=False)
    for entry in sorted(translations, key=lambda entry: entry.text):
        ids = entry.text if entry.plural is None else (entry.text, entry.plural)
        catalog.add(ids, entry.vietnamese if entry.plural is None else (entry.vietnamese,))
    out = BytesIO()
    write_mo(out, _WithFixedHeader(catalog))
    return out.getvalue()


class _WithFixedHeader(Catalog):
    """Babel writes the time of writing into the header, which would make each build differ."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(locale="vi", charset="utf-8", fuzzy=False)
        for entry in catalog:
            if entry.id:
                self.add(entry.id, entry.string)

    def __iter__(self) -> Iterator[object]:  # type: ignore[override]  # Babel types its own header entry privately
        for entry in super().__iter__():
            if not entry.id:
                entry.string = _HEADER
            yield entry


def extract_sentences(root: Path = ROOT) -> tuple[Sentence, ...]:
    """Return every translatable literal of the four packages, and each command's help page, in the order of their places.

    Calls are read from the syntax tree and not by Babel's tokenizer, which before Python 3.12 does not see into
    f-strings.

    Raises:
        ValueError: a template is not a literal, so no catalogue could hold it; the text names the place.
    """
    found: dict[str, Sentence] = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            place = path.relative_to(root).as_posix()
            for sentence in _sentences_of(ast.parse(path.read_bytes()), place):
                known = found.get(sentence.text)
                if sentence.text and (known is None or (known.plural is None and sentence.plural is not None)):
                    found[sentence.text] = sentence
    return tuple(found.values())


def _sentences_of(tree: ast.Module, place: str) -> Iterator[Sentence]:
    if (page := _help_page(tree, place)) is not None:
        yield Sentence(page, None, f"{place}:1")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in KEYWORDS]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        keyword = _name(call.func)
        texts = [arg.value for arg in call.args[: KEYWORDS[keyword]] if isinstance(arg, ast.Constant)]
        literals = [text for text in texts if isinstance(text, str)]
        if len(literals) == KEYWORDS[keyword]:
            yield Sentence(literals[0], literals[1] if len(literals) > 1 else None, f"{place}:{call.lineno}")
        elif keyword != "_":  # help texts may be chosen among literals that stand elsewhere
            raise ValueError(f"{place}:{call.lineno}: {keyword}() needs a literal template")


def _help_page(tree: ast.Module, place: str) -> str | None:
    """Return what the command line shows of a docstring: all of a verb's, and the summary of a noun's."""
    docstring = ast.get_docstring(tree)
    if docstring is None:
        return None
    if any(isinstance(node, ast.Assign) and _name(node.targets[0]) == "VERB" for node in tree.body):
        return "\n\n".join(paragraphs_of(docstring))
    room, *_folders, file = place.split("/")
    is_noun = room == "commands" and file == "__init__.py" and not place.startswith(_NO_NOUNS)
    return docstring.partition("\n")[0].removesuffix(".") if is_noun else None


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


def problems_of(sentences: Sequence[Sentence], translations: Sequence[Translation]) -> tuple[str, ...]:
    """Return what is wrong: missing, other placeholders, not NFC, the same without saying so, or no longer used."""
    known = {entry.text: entry for entry in translations}
    used = {sentence.text for sentence in sentences}
    problems: list[str] = []
    for sentence in sentences:
        if not _has_words(sentence.text) and not _has_words(sentence.plural or ""):
            continue
        entry = known.get(sentence.text)
        if entry is None or (sentence.plural is not None and entry.plural != sentence.plural):
            problems.append(f"{sentence.place}: no Vietnamese for {sentence.text!r}")
    for entry in translations:
        problems += [f"{entry.fragment}: {problem}: {entry.text!r}" for problem in _faults(entry)]
        if entry.text not in used and entry.fragment != FORMER:
            problems.append(f"{entry.fragment}: no longer used: {entry.text!r}")
    return tuple(problems)


def _faults(entry: Translation) -> Iterator[str]:
    wanted = set(_PLACEHOLDER.findall(entry.plural or entry.text))
    if set(_PLACEHOLDER.findall(entry.vietnamese)) != wanted:
        yield f"placeholders are not {' '.join(sorted(wanted)) or 'none'}"
    if not unicodedata.is_normalized("NFC", entry.vietnamese):
        yield "not NFC"
    if _has_words(entry.text) and (entry.vietnamese == entry.text) != entry.is_same:
        yield f"marked {SAME!r} but differs" if entry.is_same else f"the same as the English without {SAME!r}"


def _has_words(text: str) -> bool:
    return any(letter.isalpha() for letter in _PLACEHOLDER.sub("", text))


def main(arguments: Sequence[str]) -> int:
    """Build the catalogue, or only check it; return 1 if there is any problem."""
    translations, problems = read_fragments()
    problems += problems_of(extract_sentences(), translations)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if "--check" not in arguments:
        write_atomically(CATALOGUE, compile_catalogue(translations))
        sys.stdout.write(f"{CATALOGUE.relative_to(ROOT)}: {len(translations)} sentences\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
