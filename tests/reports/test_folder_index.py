"""The auditor's index: what really lies in a folder, with what the ledger knows of it, and names of others as text alone."""

from __future__ import annotations

from typing import Any

import pytest

from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.reports import formats
from portalops.reports.folder_index import (
    Deed,
    FolderContents,
    FoundBundle,
    FoundFile,
    KnownFile,
    build_index,
    find_subject,
)
from tests.reports.page import Element, Page
from tests.reports.sample import HOSTILE, NOW, PORTAL

LEDGER = "5f0c" * 8
A, B = Digest("a" * 64), Digest("b" * 64)
REPORT = "khanhhoa-compliance-2026-11-01--2026-11-30.vi.html"


def contents(*files: FoundFile, known: dict[Digest, list[KnownFile]] | None = None, **other: Any) -> FolderContents:
    given = {"ledger": LEDGER, "bundles": (), "names": {}, **other}
    return FolderContents(PORTAL, "/srv/audit", NOW, "0.1.0", files=files, known=known or {}, **given)


def page(of: FolderContents, language: str = "en") -> Page:
    return Page(formats.load("html").render(build_index(of), language=language).decode())


def rows(of: Page) -> list[list[str]]:
    return [[cell.words() for cell in row.children] for body in of.root.all("tbody") for row in body.all("tr")]


def links(of: Page) -> list[Element]:
    return [link for body in of.root.all("tbody") for link in body.all("a")]


def test_what_the_ledger_wrote_goes_before_what_a_name_says() -> None:
    known = {
        A: [KnownFile(7, Deed.WRITTEN, "backups", "2026-10-01..2026-10-31", "", "en", "6-0000-0000-0000-0000-0000")]
    }
    found = find_subject(FoundFile(f"old/{REPORT}", 5, A), known)
    assert found is not None and (found.report, found.period, found.by_ledger) == (
        "backups", "2026-10-01..2026-10-31", True,
    )  # fmt: skip
    named = find_subject(FoundFile(f"old/{REPORT}", 5, B), known)
    assert named is not None and (named.report, named.language, named.by_ledger) == ("compliance", "vi", False)


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "khanhhoa-horoscope-2026-11-01--2026-11-30.vi.html",
        "khanhhoa-compliance-2026-11-31--2026-12-01.vi.html",
        "khanhhoa-compliance-2026-11-01--2026-11-30.vi.html.sig",
    ],
)
def test_a_name_that_is_no_reports_name_makes_no_report(name: str) -> None:
    assert find_subject(FoundFile(name, 1, B), {}) is None


def test_a_report_of_one_host_stands_under_its_host() -> None:
    name = "khanhhoa-servers-host-web-1-2026-11-01--2026-11-30.en.pdf"
    found = find_subject(FoundFile(name, 1, B), {})
    assert found is not None and found.scope == "host-web-1"
    shown = page(contents(FoundFile(name, 1, B), FoundFile(name.replace("host-web-1-", ""), 1, A)))
    assert [each.words() for each in shown.root.all("h3")] == ["The whole portal", "Host web-1"]


def test_known_unknown_and_exchanged_files_are_told_apart() -> None:
    known = {A: [KnownFile(7, Deed.WRITTEN, "compliance", "2026-11-01..2026-11-30"), KnownFile(9, Deed.SIGNED)]}
    files = (FoundFile(REPORT, 1, A), FoundFile(f"x/{REPORT}", 1, B), FoundFile("y.txt", 1, Digest("c" * 64)))
    states = {row[-1] for row in rows(page(contents(*files, known=known, names={REPORT: 7})))}
    assert states == {
        "✓ written by a job, record 7; signed, record 9",
        "✗ unknown: record 7 names a file of this name with other bytes",
        "? unknown to the ledger",
    }


def test_a_mail_that_did_not_go_out_is_not_called_mailed() -> None:
    known = {
        A: [KnownFile(7, Deed.MAIL_REFUSED), KnownFile(9, Deed.MAIL_UNKNOWN)],
        B: [KnownFile(7, Deed.MAIL_REFUSED), KnownFile(11, Deed.MAILED)],
    }
    states = {row[-1] for row in rows(page(contents(FoundFile("a.pdf", 1, A), FoundFile("b.pdf", 1, B), known=known)))}
    assert states == {
        "? not sent, record 7; not known whether it was sent, record 9",
        "✓ not sent, record 7; mailed, record 11",
    }


def test_without_a_ledger_nothing_is_called_known() -> None:
    shown = page(contents(FoundFile(REPORT, 1, A), bundles=(FoundBundle("b", 1, 1, A),), ledger=None))
    assert {row[-1] for row in rows(shown)} == {"? no ledger to ask"}


@pytest.mark.parametrize(
    ("ledger", "holds", "exported", "words"),
    [
        (LEDGER, True, (43,), "✓ its last record is this ledger's; exported by record 43"),
        (LEDGER, True, (), "? its last record is this ledger's; no record shows that it was exported"),
        (LEDGER, False, (43,), "✗ its last record, 44, differs from this ledger's"),
        ("0" * 32, None, (), f"? of another ledger: {'0' * 32}"),
    ],
)
def test_a_bundle_is_compared_with_the_ledger(
    ledger: str, holds: bool | None, exported: tuple[int, ...], words: str
) -> None:
    bundle = FoundBundle("2026-11", 9, 4096, A, "2026-11-01..2026-11-30", 44, ledger, holds, exported)
    assert [row[-1] for row in rows(page(contents(bundles=(bundle,))))] == [words]


def test_names_of_others_are_text_and_lead_nowhere_else() -> None:
    names = [HOSTILE, "javascript:alert(1)", "//evil.example/x", "../up & <b>", "a\udcff?q#f%.html"]
    shown = page(contents(*(FoundFile(name, 1, A) for name in names)))
    assert not {"script", "img", "b"} & {each.tag for each in shown.every()}
    targets = [link.attributes["href"] for link in links(shown)]
    assert len(targets) == len(names)
    assert all(target.startswith("./") and not set(target) & set("<>\"'?#: \\\x00") for target in targets)
    assert "./a%FF%3Fq%23f%25.html" in targets


def test_what_was_not_looked_at_is_said() -> None:
    of = contents(links=2, beyond=1, unread=(("closed", msg("Permission denied")),))
    words = page(of).root.words()
    assert "2 links or special files are not in this index" in words
    assert "1 more file was not read" in words
    assert "The folder closed could not be read: Permission denied" in words
    assert "There is no file and no bundle in this folder." in words


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_same_contents_give_the_same_bytes(language: str) -> None:
    of = contents(FoundFile(REPORT, 1, A))
    first, second = (formats.load("html").render(build_index(of), language=language) for _each in range(2))
    assert first == second


def test_every_format_can_show_a_link_as_its_path() -> None:
    document = build_index(contents(FoundFile("<y>.txt", 1, A)))
    for name in ("json", "csv", "markdown", "xlsx", "docx"):
        assert formats.load(name).render(document, language="en")
    assert '"path": "<y>.txt"' in formats.load("json").render(document, language="en").decode()
