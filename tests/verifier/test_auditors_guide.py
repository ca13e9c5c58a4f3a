"""The auditor's guide: its commands, in both languages, on bundles that are whole and on others, and what it promises of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backups.kit import NOW, signing
from tests.backups.test_signature import make, resealed
from tests.ledger.bundle.bundles import Written
from tests.verifier.caught import CASES, GOOD, Case, Scene
from tests.verifier.pages import GUIDE, HOW_TO, Page, run
from tests.verifier.scene import VERIFY_PY, Tampered, full, stamped, today

pytestmark = pytest.mark.needs("ssh-keygen", "openssl")
PAGES = pytest.mark.parametrize(
    "guide",
    [pytest.param(page, marks=() if name == "en" else pytest.mark.heavy) for name, page in GUIDE.items()],
    ids=GUIDE,
)
"""Both have the same commands, word for word; the first test says so."""
SET_HOLDS = r'Good "portalops-set" signature for [0-9a-f]{32} with ED25519 key SHA256:\S{43}\n\d+\n'


def test_both_languages_give_the_commands_of_the_page_in_the_bundle_word_for_word() -> None:
    assert GUIDE["vi"].boxes == GUIDE["en"].boxes
    shared = GUIDE["en"].boxes.keys() & HOW_TO["en"].boxes.keys()
    assert len(shared) == 16
    assert {name: GUIDE["en"].boxes[name] for name in shared} == {name: HOW_TO["en"].boxes[name] for name in shared}


def test_both_languages_have_the_same_parts_and_each_leads_to_the_other() -> None:
    vietnamese, english = GUIDE["vi"].text, GUIDE["en"].text
    for form in (r"^#+ ", r"^\|", r"^- ", r"^[0-9]\. ", r"^\*\*[0-9]+\. "):
        assert len(re.findall(form, vietnamese, re.MULTILINE)) == len(re.findall(form, english, re.MULTILINE)), form
    assert "(auditors-guide.en.md)" in vietnamese
    assert "(auditors-guide.vi.md)" in english


def test_what_nothing_can_prove_stands_before_the_first_command() -> None:
    for language, words in (("en", "## What no check can prove"), ("vi", "## Những điều không cách kiểm tra nào")):
        assert GUIDE[language].text.index(words) < GUIDE[language].text.index("```")


def test_each_end_of_the_program_has_its_meaning() -> None:
    codes = set(re.findall(r"\b[0-9]+(?= [a-z])", (VERIFY_PY.read_text().split("EXIT STATUS:")[1]).split("\n\n")[0]))
    for page in GUIDE.values():
        rows = re.findall(r"^\| ([0-9, ]+) \|", page.text.split("`verify.py`")[2], re.MULTILINE)
        assert {code for row in rows[:5] for code in row.split(", ")} == codes


@pytest.mark.heavy
@PAGES
def test_each_command_says_that_a_whole_bundle_is_whole(whole: Scene, tmp_path: Path, guide: Page) -> None:
    folder = tmp_path / "Gói bằng chứng tháng 11"
    shutil.copytree(whole.bundle, folder)

    for name, box in guide.boxes.items():
        if name != "set":  # there is none in this ledger
            done = run(box, folder, whole.home)
            assert re.fullmatch(GOOD[name], done.out, re.DOTALL), (name, done)
            assert done.err == "", name

    kept = {path.relative_to(whole.bundle) for path in whole.bundle.rglob("*")}
    assert {path.relative_to(folder) for path in folder.rglob("*")} == kept


@PAGES
@pytest.mark.parametrize("change", dict.fromkeys(change for change, _case in CASES), ids=lambda change: change.__name__)
def test_the_right_command_names_what_was_done(
    whole: Scene, tmp_path: Path, guide: Page, change: Callable[[Tampered], None]
) -> None:
    bundle = Tampered(whole.bundle, tmp_path / "bundle", whole.written.key)
    change(bundle)
    own = {"python": "short", "python-mine": "short-mine"}
    cases = [Case(own.get(case.box, case.box), case.prints) for changed, case in CASES if changed is change]

    for case in cases:
        done = run(guide.boxes[case.box], bundle.folder, whole.home)
        assert not re.fullmatch(GOOD[case.box], done.out, re.DOTALL) or done.err
        assert re.search(case.prints, done.out + done.err), (case, done)
        assert "Traceback" not in done.err
    assert len(cases) >= 2  # by hand, and by the program


@PAGES
def test_a_head_that_somebody_else_signed_is_no_head_of_the_unit(whole: Scene, tmp_path: Path, guide: Page) -> None:
    home = tmp_path / "home"
    shutil.copytree(whole.home, home)
    (home / "my-head.txt").write_text((home / "my-head.txt").read_text().replace("\nsize ", "\nsize 1"))

    done = run(guide.boxes["my-signature"], whole.bundle, home)

    assert "Could not verify signature" in done.out + done.err
    assert "Good" not in done.out


@PAGES
def test_a_head_scanned_on_windows_is_mended_by_the_command_of_the_page(
    whole: Scene, tmp_path: Path, guide: Page
) -> None:
    command = re.search(r"`(tr -d [^`]*)`", guide.text)
    assert command is not None
    text = (whole.home / "my-head.txt").read_text()
    (tmp_path / "scanned.txt").write_text(text.replace("\n", "\r\n"), newline="")

    run(command.group(1), tmp_path, tmp_path)

    assert (tmp_path / "my-head.txt").read_bytes() == text.encode()


@PAGES
def test_time_stamps_are_checked_with_certificates_that_the_auditor_has(tmp_path: Path, guide: Page) -> None:
    written, root = stamped(tmp_path / "state", tmp_path / "tsa")
    written.export(tmp_path / "bundle", period=today())
    (tmp_path / "my-tsa.pem").write_bytes(root)
    good = run(guide.boxes["my-tokens"], tmp_path / "bundle", tmp_path)
    (token,) = (tmp_path / "bundle" / "heads").glob("*.tsr")
    head = token.with_name(token.name.split(".")[0] + ".txt")
    head.write_text(head.read_text().replace("\nat 2", "\nat 1"))

    bad = run(guide.boxes["my-tokens"], tmp_path / "bundle", tmp_path)

    assert re.fullmatch(r"Verification: OK\nTime stamp: .* GMT\n", good.out), good
    assert "Verification: FAILED" in bad.out
    assert "Verification: OK" not in bad.out


@pytest.fixture(scope="module")
def with_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a ledger that recorded a real backup set, and that set beside it as `my-set`."""
    folder = tmp_path_factory.mktemp("set")
    made = make(folder / "made", signing())
    ledger = Written(folder / "state")
    ledger.head()
    ledger.at(NOW)
    ledger.append("backup.started", "10.2:weekly-backup:2026-W48")
    ledger.append(
        "backup.finished",
        "10.2:weekly-backup:2026-W48",
        run={"outcome": "complete"},
        backup={"set": made.set, "copies": [made.copy]},
    )
    ledger.export(folder / "bundle")
    put(folder / "my-set", made.files)
    return folder


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@PAGES
def test_a_backup_set_is_signed_whole_and_known_to_the_ledger(with_set: Path, guide: Page) -> None:
    done = run(guide.boxes["set"], with_set / "bundle", with_set)

    assert re.fullmatch(SET_HOLDS, done.out), done
    assert done.err == ""
    seq = int(done.out.splitlines()[-1])
    assert b'"kind":"backup.finished"' in (with_set / "bundle" / "ledger.jsonl").read_bytes().splitlines()[seq - 1]


@PAGES
@pytest.mark.parametrize(
    ("deed", "prints"),
    [
        ("another set", "the ledger does not know this set"),
        ("another guide", "RESTORE.en.md: FAILED"),
        ("another guide, listed", "the ledger does not know this set"),
        ("another pack", r"data/.*: FAILED"),
        ("another set.json", "(?i)incorrect signature|could not verify signature"),
        ("another key", "(?i)could not verify signature|no principal"),
    ],
)
def test_another_backup_set_is_told(with_set: Path, tmp_path: Path, guide: Page, deed: str, prints: str) -> None:
    names = [str(path.relative_to(with_set / "my-set")) for path in (with_set / "my-set").rglob("*") if path.is_file()]
    files = {name: (with_set / "my-set" / name).read_bytes() for name in names}
    match deed:
        case "another set":
            files = make(tmp_path / "made", signing()).files
        case "another guide":
            files["RESTORE.en.md"] += b"rm -rf /\n"
        case "another guide, listed":
            files = resealed(files, RESTORE__en__md=files["RESTORE.en.md"] + b"rm -rf /\n")
        case "another pack":
            name = next(name for name in names if name.endswith("0001.age"))
            files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
        case "another set.json":
            files["set.json"] = files["set.json"].replace(b'"kind": "full"', b'"kind": "diff"')
        case _:
            files = make(tmp_path / "made", signing(7)).files
    put(tmp_path / "my-set", files)

    done = run(guide.boxes["set"], with_set / "bundle", tmp_path)

    assert not re.fullmatch(SET_HOLDS, done.out)
    assert re.search(prints, done.out + done.err), done


def test_a_bundle_of_another_ledger_is_told(whole: Scene, tmp_path: Path) -> None:
    full(tmp_path / "state").export(tmp_path / "bundle")

    assert "it is another ledger" in run(GUIDE["vi"].boxes["my-head"], tmp_path / "bundle", whole.home).out


EVIL = (
    "1e touch PWNED",
    "1e touch PWNED #",
    "a[$(touch PWNED)]",
    "$(touch PWNED)",
    "`touch PWNED`",
    "1;touch PWNED",
    "1\nsize 2",
    "w PWNED",
    "1w PWNED\n",
    "-f PWNED",
)


@pytest.mark.heavy
@PAGES
@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_no_text_of_a_bundle_a_mail_or_a_code_is_ever_a_command(
    whole: Scene, tmp_path: Path, guide: Page, evil: str
) -> None:
    """GNU sed can run commands, and so can a shell's arithmetic; what they are given comes from the operator."""
    bundle = Tampered(whole.bundle, tmp_path / "bundle", whole.written.key)
    home = tmp_path / "home"
    shutil.copytree(whole.home, home)
    for head in [*(bundle.folder / "heads").glob("*.txt"), home / "my-head.txt"]:
        head.write_text(re.sub(r"size \d+", lambda _found: f"size {evil}", head.read_text()))
    (home / "my-head.txt").write_text((home / "my-head.txt").read_text().replace("ledger ", f"-e{evil} "))
    (home / "my-code.txt").write_text(f"{evil}-0000-0000-0000-0000-0000\n")
    (bundle.folder / "heads" / "$(touch PWNED).txt").write_text("size 1\n")
    (bundle.folder / "heads" / "`touch PWNED`.tsr").write_text("x")
    (bundle.folder / "blobs" / ";touch PWNED").write_text(f'{{"sign_off":{{"name":"{evil}","signer":"{evil}"}}')
    description = (bundle.folder / "bundle.json").read_text()
    (bundle.folder / "bundle.json").write_text(re.sub(r'"first":\d+', lambda _found: f'"first":{evil}', description))

    for name, box in {**HOW_TO["en"].boxes, **guide.boxes}.items():
        if not name.startswith(("python", "short")):
            done = run(box, bundle.folder, home)
            assert "PWNED" not in {path.name for path in tmp_path.rglob("*")}, (name, done)


@pytest.mark.heavy
@PAGES
def test_nothing_that_a_bundle_holds_reaches_the_terminal_as_a_control(
    whole: Scene, tmp_path: Path, guide: Page
) -> None:
    bundle = Tampered(whole.bundle, tmp_path / "bundle", whole.written.key)
    escape = b"\x1b]0;x\x07\x1b[2J"
    for path in [*(bundle.folder / "blobs").iterdir(), bundle.folder / "ledger.jsonl"]:
        data = path.read_bytes()
        path.write_bytes(data.replace(b'"kind":"head"', b'"kind":"' + escape).replace(b'":"', b'":"' + escape))
    (bundle.folder / f"{escape.decode()}.txt").write_text("x")

    for name, box in guide.boxes.items():
        done = run(box, bundle.folder, whole.home)
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", done.out), (name, done)
