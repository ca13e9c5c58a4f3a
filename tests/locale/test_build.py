"""The catalogue is complete, right in form, and compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.locale import CATALOGUE
from portalops.locale.build import (
    Sentence,
    Translation,
    compile_catalogue,
    extract_sentences,
    problems_of,
    read_fragments,
)


def entry(text: str, vietnamese: str, *, plural: str | None = None, is_same: bool = False) -> Translation:
    return Translation(text, plural, vietnamese, is_same, "part.po")


@pytest.mark.heavy
def test_every_sentence_of_the_code_has_a_good_translation() -> None:
    translations, problems = read_fragments()
    assert problems + problems_of(extract_sentences(), translations) == ()


@pytest.mark.heavy
def test_the_compiled_catalogue_is_that_of_the_fragments() -> None:
    translations, _problems = read_fragments()
    assert CATALOGUE.read_bytes() == compile_catalogue(translations), "run: python -m portalops.locale.build"


def test_compiling_twice_gives_the_same_bytes() -> None:
    entries = [entry("b", "bê"), entry("a {n}", "á {n}", plural="as {n}")]
    assert compile_catalogue(entries) == compile_catalogue(list(reversed(entries)))


@pytest.mark.parametrize(
    ("translation", "problem"),
    [
        (entry("{x} of {y}", "{x} trên {z}"), "placeholders are not {x} {y}"),
        (entry("day", "nga\u0300y"), "not NFC"),
        (entry("Day", "Day"), "the same as the English"),
        (entry("Day", "Ngày", is_same=True), "but differs"),
    ],
)
def test_faults_of_a_translation_are_named(translation: Translation, problem: str) -> None:
    found = problems_of([Sentence(translation.text, None, "a.py:1")], [translation])
    assert len(found) == 1
    assert problem in found[0]


def test_missing_and_unused_translations_are_named_with_their_place() -> None:
    found = problems_of([Sentence("new words", None, "a.py:7")], [entry("old words", "chữ cũ")])
    assert found == ("a.py:7: no Vietnamese for 'new words'", "part.po: no longer used: 'old words'")


def test_a_plural_needs_its_own_translation() -> None:
    found = problems_of([Sentence("{n} set", "{n} sets", "a.py:1")], [entry("{n} set", "{n} bộ")])
    assert found == ("a.py:1: no Vietnamese for '{n} set'",)


def test_a_sentence_of_placeholders_alone_needs_no_translation() -> None:
    assert problems_of([Sentence("{host}: {problem}", None, "a.py:1")], []) == ()


def test_fragments_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (tmp_path / "a.po").write_text(f'{header}msgid "Day"\nmsgstr "Ngày"\n', encoding="utf-8")
    (tmp_path / "b.po").write_text(f'{header}msgid "Day"\nmsgstr "Hôm"\n', encoding="utf-8")
    _translations, problems = read_fragments(tmp_path)
    assert problems == ("b.po and a.po translate 'Day' differently: 'Hôm', 'Ngày'",)


def test_a_fragment_that_is_no_catalogue_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.po").write_text("rubbish\n", encoding="utf-8")
    translations, problems = read_fragments(tmp_path)
    assert translations == ()
    assert len(problems) == 1
    assert problems[0].startswith("a.po: ")


def test_an_entry_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.po").write_text(
        'msgid "Day"\nmsgstr ""\n\n#, fuzzy\nmsgid "Week"\nmsgstr "Tuần"\n', encoding="utf-8"
    )
    assert read_fragments(tmp_path) == ((), ("a.po: empty or fuzzy: 'Day'", "a.po: empty or fuzzy: 'Week'"))


def test_sentences_are_found_wherever_they_are_said(tmp_path: Path) -> None:
    for package in ("portalops", "commands", "checks", "backups"):
        (tmp_path / package).mkdir()
    (tmp_path / "checks" / "a.py").write_text(
        'x = msg("one {a}"\n  " two", a=1)\ny = nmsg("{n} day", "{n} days", 2)\nz = f"{_(\'help\')}"\nw = other("not this")\n',
        encoding="utf-8",
    )
    found = extract_sentences(tmp_path)
    assert [(each.text, each.plural) for each in found] == [
        ("one {a} two", None),
        ("{n} day", "{n} days"),
        ("help", None),
    ]
    assert found[2].place == "checks/a.py:4"


def test_the_help_page_of_a_verb_and_the_summary_of_a_noun_are_sentences_too(tmp_path: Path) -> None:
    (tmp_path / "commands" / "media").mkdir(parents=True)
    (tmp_path / "commands" / "media" / "__init__.py").write_text('"""Keep media.\n\nNot shown."""\n', encoding="utf-8")
    (tmp_path / "commands" / "media" / "add.py").write_text(
        '"""Add one\n\nTo the\nregister.\n"""\nVERB = Verb(add)\n', encoding="utf-8"
    )
    (tmp_path / "commands" / "media" / "views.py").write_text('"""Not shown."""\n', encoding="utf-8")
    assert extract_sentences(tmp_path) == (
        Sentence("Keep media", None, "commands/media/__init__.py:1"),
        Sentence("Add one\n\nTo the register.", None, "commands/media/add.py:1"),
    )


def test_a_template_that_is_no_literal_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "a.py").write_text("x = 1\ny = msg(x)\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"checks/a\.py:2: msg\(\) needs a literal template"):
        extract_sentences(tmp_path)
