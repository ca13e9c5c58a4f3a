"""One word for one thing: what `docs/glossary.md` retires is in no name, message or page, and names say what they are."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from portalops.locale.build import FORMER

ROOT = Path(__file__).parents[1]
PACKAGES = ("portalops", "checks", "backups", "commands")
GLOSSARY = ROOT / "docs/glossary.md"
VIETNAMESE = ROOT / "docs/glossary.vi.md"
FRAGMENTS = ROOT / "portalops/locale/vi"

STANDS_ALONE = {"portalops/ledger/bundle/verify.py"}
"""The auditor's program imports nothing of portalops: it has names of its own for the same things."""

LEADING = frozenset(
    [
        "about",
        "above",
        "across",
        "after",
        "against",
        "along",
        "among",
        "around",
        "at",
        "because",
        "before",
        "behind",
        "below",
        "beside",
        "between",
        "beyond",
        "by",
        "for",
        "here",
        "how",
        "if",
        "in",
        "into",
        "its",
        "my",
        "of",
        "off",
        "on",
        "onto",
        "our",
        "over",
        "since",
        "than",
        "that",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "toward",
        "towards",
        "under",
        "until",
        "up",
        "upon",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "within",
        "your",
    ]
)
"""No class or function begins with one of these. `from_x`, `to_x`, `as_x`, `with_x` and `without_x` are what Python calls
conversions and copies; `Week.of(day)` constructs, and a property `at` stands for the field of that name."""

NOUNS = frozenset({"by_hand", "up_to_date"})
"""Read as one word: something supplied by hand."""

STORED = frozenset(
    [
        "brought",
        "brought_by",
        "keeper",
        "look",
        "looked_at",
        "looked_before_at",
        "over_told",
        "portal_look_hours",
        "rounds",
        "said",
        "said_anew",
        "told",
        "told_at",
        "told_by_its_run",
        "told_record",
    ]
)
"""Fields that records, state files or the tables beside the ledger hold under this name, and keys of `--json`: what was written stays readable."""

CONVENTIONS = frozenset({"Settings"})
"""What each plug-in of a kind calls its own."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A word or phrase that is not written any more, and the phrases around it that still are."""

    words: str
    allowed: tuple[str, ...]

    def uses(self, text: str) -> list[str]:
        """Return each use of it in a text, with the words around it."""
        free = [span.span() for each in self.allowed for span in re.finditer(_pattern(each), text, re.IGNORECASE)]
        return [
            " ".join(text[max(0, hit.start() - 30) : hit.end() + 30].split())
            for hit in re.finditer(_pattern(self.words), text, re.IGNORECASE)
            if not any(begin <= hit.start() < end for begin, end in free)
        ]


def _pattern(words: str) -> str:
    return r"(?<![\w-])" + r"\s+".join(map(re.escape, words.split())) + r"(?![\w-])"


def retired(page: Path, column: int) -> tuple[Retired, ...]:
    """Return what a column of the page's tables retires: `word` or `word` (but `a phrase`, `another`)."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) <= abs(column) - 1 or "`" not in cells[column]:
            continue
        for words, allowed in re.findall(r"`([^`]+)`(?: \((?:but|nhưng) ([^)]+)\))?", cells[column]):
            found.append(Retired(words, tuple(re.findall(r"`([^`]+)`", allowed))))
    return tuple(found)


def words_of(name: str) -> list[str]:
    """Return the words of a name in snake or camel case."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().strip("_").split("_")


@dataclass(frozen=True, slots=True)
class Named:
    """A name that the code defines."""

    name: str
    where: str
    kind: str
    is_constructor: bool = False
    is_property: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.kind} {self.name}"


@cache
def names() -> tuple[Named, ...]:
    """Return what the packages define: modules, classes, functions, fields and constants."""
    found: list[Named] = []
    for path in sorted(each for top in PACKAGES for each in (ROOT / top).rglob("*.py")):
        where = str(path.relative_to(ROOT))
        if where in STANDS_ALONE:
            continue
        found.append(Named(path.parent.name if path.stem == "__init__" else path.stem, where, "module"))
        found += _defined(ast.parse(path.read_text(encoding="utf-8")), where)
    return tuple(found)


def _defined(node: ast.AST, where: str, outer: str = "") -> Iterator[Named]:
    for child in ast.iter_child_nodes(node):
        place = f"{where}:{getattr(child, 'lineno', 0)}"
        match child:
            case ast.ClassDef():
                yield Named(child.name, place, "inner class" if outer else "class")
                yield from _defined(child, where, child.name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                marks = {each.id for each in child.decorator_list if isinstance(each, ast.Name)}
                yield Named(
                    child.name,
                    place,
                    "function",
                    is_constructor="classmethod" in marks,
                    is_property="property" in marks,
                )
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield Named(name, place, "field" if outer else "constant")
            case ast.If() | ast.Try():
                yield from _defined(child, where, outer)


def _holds(name: str, words: str) -> bool:
    all_, some = words_of(name), words.split()
    return any(all_[at : at + len(some)] == some for at in range(len(all_) - len(some) + 1))


def expect_none(what: str, found: Sequence[str]) -> None:
    """Fail where anything is found, and name all of it."""
    assert not found, f"{len(found)} {what}:\n" + "\n".join(found)


@pytest.mark.heavy
def test_no_name_holds_a_retired_word() -> None:
    words = [each.words for each in retired(GLOSSARY, -1)]

    expect_none(
        "names",
        [
            f"{each}: {word}"
            for each in names()
            if not (each.kind == "field" and each.name in STORED)
            for word in words
            if _holds(each.name, word)
        ],
    )


def test_no_name_begins_with_a_preposition_or_pronoun() -> None:
    expect_none(
        "leading",
        [
            str(each)
            for each in names()
            if each.kind in {"class", "inner class", "function"}
            and words_of(each.name)[0] in LEADING
            and not (each.is_constructor and each.name == "of")
            and not (each.is_property and each.name == "at")
            and each.name.strip("_") not in NOUNS
        ],
    )


def test_one_class_has_one_name() -> None:
    defined: dict[str, list[str]] = defaultdict(list)
    for each in names():
        if each.kind == "class" and not each.name.startswith("_") and each.name not in CONVENTIONS:
            defined[each.name].append(each.where)

    expect_none("classes", [f"{name}: {', '.join(where)}" for name, where in defined.items() if len(where) > 1])


def test_no_option_or_verb_is_a_retired_word() -> None:
    words = [each.words for each in retired(GLOSSARY, -1)]
    found = []
    for path in sorted((ROOT / "commands").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and _called(call) in {"Option", "Argument", "command"}):
                continue
            for each in call.args:
                if (
                    isinstance(each, ast.Constant)
                    and isinstance(each.value, str)
                    and re.fullmatch(r"[-a-z/]+", each.value)
                ):
                    name = each.value.replace("-", "_")
                    found += [
                        f"{path.relative_to(ROOT)}:{call.lineno}: {each.value}" for word in words if _holds(name, word)
                    ]

    expect_none("options", found)


def _called(call: ast.Call) -> str:
    return (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
    )


def prose(text: str) -> str:
    """Return a text without code, commands, options, placeholders and where links lead."""
    for pattern in (
        r"(?ms)^ *```.*?^ *```",
        r"`[^`\n]*`",
        r"\]\([^)\s]*\)",
        r"\{[^{}]*\}",
        r"\[\[[^\]]*\]\]",
        r"['\"]?portalops [a-z][^;\n'\"()]*['\"]?",
        r"(?<![\w-])--[a-z][a-z-]*",
        r"(?m)^ {4,}\S.*$",
    ):
        text = re.sub(pattern, " ", text)
    return text


@cache
def entries() -> tuple[tuple[str, str], ...]:
    """Return the sentences of all fragments: English, and its Vietnamese."""
    found = []
    for path in sorted(set(FRAGMENTS.glob("*.po")) - {FRAGMENTS / FORMER}):  # records of earlier versions hold those
        for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            said = {"msgid": "", "msgstr": ""}
            key = ""
            for line in block.splitlines():
                head = re.match(r"(msgid|msgstr)\w*(?:\[\d\])? ", line)
                key = head.group(1) if head else key
                if key and (quoted := re.search(r'"(.*)"$', line)) and not line.startswith("#"):
                    said[key] += ("\n" if head else "") + ast.literal_eval(f'"{quoted.group(1)}"')
            if said["msgid"].strip():
                found.append((said["msgid"], said["msgstr"]))
    return tuple(found)


@pytest.mark.heavy
def test_no_message_or_help_holds_a_retired_word() -> None:
    words = retired(GLOSSARY, -2)

    expect_none("messages", [use for english, _ in entries() for each in words for use in each.uses(prose(english))])


@pytest.mark.heavy
def test_no_vietnamese_sentence_holds_a_retired_word() -> None:
    words = retired(VIETNAMESE, -1)

    expect_none(
        "sentences", [use for _, vietnamese in entries() for each in words for use in each.uses(prose(vietnamese))]
    )


def pages(*, vietnamese: bool) -> list[Path]:
    """Return the pages of a language; the changelog and the decisions keep the words of their day."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")]
    found += (FRAGMENTS / "pages").glob("*.md") if vietnamese else ()
    skipped = {ROOT / "CHANGELOG.md", GLOSSARY, VIETNAMESE}
    return [
        each
        for each in sorted(found)
        if each not in skipped and (each.name.endswith(".vi.md") or each.parent.name == "pages") == vietnamese
    ]


@pytest.mark.parametrize("vietnamese", [False, True], ids=["en", "vi"])
def test_no_page_holds_a_retired_word(vietnamese: bool) -> None:
    words = retired(VIETNAMESE, -1) if vietnamese else retired(GLOSSARY, -2)
    found = [
        f"{page.relative_to(ROOT)}: {use}"
        for page in pages(vietnamese=vietnamese)
        for each in words
        for use in each.uses(prose(page.read_text(encoding="utf-8")))
    ]

    expect_none("pages.vi" if vietnamese else "pages", found)


def test_a_retired_word_is_found_and_what_it_may_still_mean_is_not() -> None:
    word = Retired("look", ("look for",))

    assert word.uses("each look at a source") == ["each look at a source"]
    assert word.uses("look for it, lookup, on-look") == []
    assert _holds("LedgerPlaces", "ledger places")
    assert not _holds("look_up_lookups", "lookup")


def test_both_glossaries_are_read() -> None:
    assert {"look", "round"} <= {each.words for each in retired(GLOSSARY, -1)}
    assert Retired("told", ("told apart",)) in retired(GLOSSARY, -2)
    assert "đầu chuỗi" in {each.words for each in retired(VIETNAMESE, -1)}
