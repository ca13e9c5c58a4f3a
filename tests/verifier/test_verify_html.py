"""verify.html in a real Chromium: the verdict of verify.py, in both languages, by keyboard alone, with nothing for axe-core to find."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops.ledger.heads import code_of, newest_head
from portalops.model.heads import SignOff
from portalops.model.record import Digest
from portalops.model.zones import ZONES
from portalops.signatures.sshsig import sign
from tests.chromium import Chromium
from tests.ledger.bundle.bundles import REPORT, Written, key_of, week
from tests.verifier.browser import VERIFY_HTML, Page
from tests.verifier.scene import VERIFY_PY, Tampered, as_process, by_stranger, stamped, today, verify_py
from tests.verifier.test_signatures import by_stranger as holds_by_stranger

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).parents[2]
WIDTHS = (360, 1200)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(browser: Chromium) -> Page:
    return Page(browser)


@pytest.fixture(scope="module")
def axe() -> str:
    found = find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def test_the_page_is_what_its_parts_come_to() -> None:
    subprocess.run([sys.executable, "scripts/build_verify_html.py", "--check"], check=True, cwd=ROOT)


def test_the_policy_lets_the_page_connect_nowhere(page: Page) -> None:
    text = VERIFY_HTML.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy.group(1)
    assert "unsafe" not in policy.group(1)
    assert not re.search(r"""(?:src|href)=|https?:""", text.split("<script>")[0])

    assert page.tab.evaluate("fetch('https://example.invalid/').then(() => 'sent', error => error.name)") == "TypeError"
    assert any("Content Security Policy" in each for each in page.tab.refused())


def test_what_is_whole_verifies_and_what_was_compared_is_said(page: Page, original: Path) -> None:
    said, faults = page.verify(original)

    assert (said, faults) == by_stranger(original)
    assert said.exit_code == 0
    mine = as_process(VERIFY_PY, original, "--json")
    expected, found = json.loads(mine.stdout), page.data()
    assert found.pop("exit_code") == 0
    assert {**found, "limits": None} == {**expected, "limits": None}
    assert "RESULT: nothing was changed since it was signed, and nothing expected is missing." in page.text("result")
    assert "Records in the chain: 33" in page.text("result")


def test_the_browser_has_the_data_of_each_time_zone_that_verify_py_knows(page: Page) -> None:
    known = "[...ZONES].filter((name) => { try { return new Zone(name); } catch { return false; } }).sort()"
    assert page.tab.evaluate(known) == sorted(ZONES)


def test_the_verdict_is_said_in_vietnamese_as_verify_py_says_it(page: Page, bundle: Tampered) -> None:
    lines = bundle.lines()
    lines[5] = lines[5].replace(b'"subject":""', b'"subject":"x"')
    bundle.set_lines(lines)
    page.verify(bundle.folder)

    page.tab.evaluate("document.getElementById('vi').click()")
    text = page.text("result")
    page.tab.evaluate("document.getElementById('en').click()")

    expected = as_process(VERIFY_PY, bundle.folder, "--lang", "vi").stdout.splitlines()[-1]
    assert expected in text
    assert "Bản ghi đầu tiên không còn đáng tin là bản ghi 6." in text
    assert "The first record that cannot be trusted is 6." in page.text("result")


def test_every_sentence_of_the_page_is_there_in_vietnamese() -> None:
    parts = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "portalops/ledger/bundle/browser").glob("*.js")
    )
    page = (ROOT / "portalops/ledger/bundle/browser/page.html").read_text(encoding="utf-8")
    own = json.loads((ROOT / "portalops/ledger/bundle/browser/page.vi.json").read_text(encoding="utf-8"))
    sentences = set(re.findall(r'(?:say|here|(?<!List\.)add|Bad|this\.fault)\(\s*(?:[^"()]*,\s*)?"([^"]+)"', parts))
    sentences |= set(re.findall(r'data-say="([^"]*)"', page))
    known = {**verify_py().VI, **own}

    assert len(sentences) > 80
    assert sorted(each for each in sentences if each not in known) == []
    used = parts + page
    assert sorted(each for each in own if each not in used) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    browser: Chromium, axe: str, original: Path, bundle: Tampered, width: int, *, dark: bool
) -> None:
    page = Page(browser, width=width, dark=dark)
    assert not page.tab.violations(axe)
    (bundle.folder / "figures.json").write_bytes(b"{}")
    for folder in (original, bundle.folder):
        page.verify(folder)
        for language in ("vi", "en"):
            page.tab.evaluate(f"document.getElementById('{language}').click()")
            assert page.tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert not page.tab.violations(axe)
    assert not page.tab.refused()


def test_the_keyboard_alone_leads_through_the_page(browser: Chromium, original: Path) -> None:
    page = Page(browser)
    page.tab.ask("Page.setInterceptFileChooserDialog", enabled=True)
    reached = []
    for _ in range(7):
        page.press(["Tab"])
        reached.append(page.tab.evaluate("document.activeElement.id"))
    assert reached == ["vi", "en", "choose-folder", "choose-zip", "codes", "heads", "signers"]

    page.tab.evaluate("document.getElementById('choose-folder').focus()")
    page.press(["Enter"])
    opened = page.tab.wait_for("Page.fileChooserOpened")
    assert len(opened) == 1
    page.tab.ask("DOM.setFileInputFiles", files=[str(original)], backendNodeId=opened[0]["backendNodeId"])

    assert page.said()[0].exit_code == 0
    assert page.tab.evaluate("document.activeElement.id") == "result"
    assert page.tab.evaluate("document.getElementById('state').getAttribute('role')") == "status"


def test_a_zip_file_that_is_dragged_onto_the_page_is_verified(
    browser: Chromium, original: Path, tmp_path: Path
) -> None:
    page = Page(browser)

    page.drag(Path(shutil.make_archive(str(tmp_path / "bundle"), "zip", original.parent, original.name)))

    assert page.said() == by_stranger(original)


def test_a_folder_that_the_browser_does_not_hand_over_is_asked_for_by_the_button(
    browser: Chromium, original: Path
) -> None:
    """Chromium lets no page that was opened from a disk read a dragged folder."""
    page = Page(browser)

    page.drag(original)

    said, (text,) = page.said()
    assert said.exit_code == 2
    assert "choose it with the button" in text


def test_what_was_kept_is_compared(page: Page, tmp_path: Path) -> None:
    written = week(tmp_path / "state")
    written.head()
    head = newest_head(written.ledger)
    assert head is not None
    code = code_of(head.head)
    (tmp_path / "head.txt").write_text(head.signed.text.replace("\n", "\r\n"), newline="")
    (tmp_path / "signers").write_text(f"unit {key_of(1).public_key}\n")
    (tmp_path / "strangers").write_text(f"unit {key_of(7).public_key}\n")
    written.export(tmp_path / "bundle")

    def kept(codes: str, signers: str) -> tuple[int, object]:
        page.tab.evaluate(f"document.getElementById('codes').value = {json.dumps(codes)}")
        page.put("heads", tmp_path / "head.txt")
        page.put("signers", tmp_path / signers)
        said = page.verify(tmp_path / "bundle")[0]
        return said.exit_code, said.first_bad

    complete = by_stranger(tmp_path / "bundle")[0].exit_code
    assert kept(code.upper(), "signers") == (complete, None)
    assert f"Your {code}: it holds" in page.text("result")
    assert "Your head.txt: it holds" in page.text("result")
    assert kept(f"{head.head.size}-0000-0000-0000-0000-0000", "signers")[0] == 5
    assert kept(code, "strangers") == (5, 1)
    assert kept("nothing of the kind", "signers") == (2, None)
    page.tab.evaluate("for (const each of ['codes', 'heads', 'signers']) document.getElementById(each).value = ''")


def test_a_sign_off_a_token_and_a_time_stamp_are_read(page: Page, tmp_path: Path) -> None:
    written, root = stamped(tmp_path / "state", tmp_path / "tsa")
    digest = Digest(hashlib.sha256(REPORT).hexdigest())
    text = f"{digest}  nov.html\n"
    token, by_token = with_token(text.encode(), "portalops-signoff")
    plain = key_of(9)
    for key, signature in ((plain.public_key, sign(text.encode(), plain, "portalops-signoff")), (token, by_token)):
        made = SignOff("nov.html", digest, "an", "An", "Head", key, text, signature)
        written.append("sign-off", sign_off=made)
    written.export(tmp_path / "bundle", period=today(), certificates={"tsa": root})

    assert page.verify(tmp_path / "bundle") == by_stranger(tmp_path / "bundle")
    assert (
        page.data()["integrity"]["sign_offs"] == [{"report": "nov.html", "signer": "an", "file": "report.en.html"}] * 2
    )
    assert len(page.data()["integrity"]["time_stamps"]) == 1


def with_token(message: bytes, namespace: str) -> tuple[str, str]:
    """Return a key that a FIDO2 token would hold, and its signature (PROTOCOL.u2f)."""

    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    private = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
    kind, application = b"sk-ssh-ed25519@openssh.com", b"ssh:"
    key = string(kind) + string(private.public_key().public_bytes_raw()) + string(application)
    rest = string(namespace.encode()) + string(b"") + string(b"sha512")
    data = b"SSHSIG" + rest + string(hashlib.sha512(message).digest())
    touched = b"\1" + (7).to_bytes(4, "big")
    proof = private.sign(hashlib.sha256(application).digest() + touched + hashlib.sha256(data).digest())
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + string(key) + rest + string(string(kind) + string(proof) + touched)
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    armour = "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])
    return f"{kind.decode()} {base64.b64encode(key).decode()}", armour


@pytest.mark.parametrize("by_hand", [False, True], ids=["WebCrypto", "by hand"])
def test_ed25519_is_judged_as_verify_py_judges_it(browser: Chromium, *, by_hand: bool) -> None:
    page = Page(browser)
    if by_hand:  # as in a browser whose WebCrypto does not know Ed25519
        page.tab.evaluate(
            "crypto.subtle.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError')), 0"
        )
    order = 2**252 + 27742317777372353535851937790883648493
    cases = []
    for number in range(6):
        private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        key, message = private.public_key().public_bytes_raw(), bytes([number]) * number
        good = private.sign(message)
        larger = int.from_bytes(good[32:], "little") + order
        cases += [
            (key, message, good),
            (key, message + b"x", good),
            (key, message, good[:32] + larger.to_bytes(32, "little")),
        ]
        cases += [(key, message, bytes([good[0] ^ 1]) + good[1:]), (key[:31] + bytes([key[31] ^ 0x80]), message, good)]
    p = 2**255 - 19
    for y in (0, 1, p - 1, p, p + 1, 2, 5):  # weak, not canonical, and on no point
        cases.append((y.to_bytes(32, "little"), b"", bytes(64)))
        cases.append((y.to_bytes(32, "little"), b"", (1).to_bytes(32, "little") + bytes(32)))

    def script(key: bytes, message: bytes, signature: bytes) -> str:
        arrays = (f"Uint8Array.from({list(each)})" for each in (key, message, signature))
        return f"ed25519Holds({', '.join(arrays)})"

    found = page.tab.evaluate(f"(async () => [{', '.join(f'await {script(*case)}' for case in cases)}])()")
    assert found == [holds_by_stranger(*case) for case in cases]
    assert found.count(True) == 6


def test_digests_are_those_of_python_whatever_the_length(page: Page) -> None:
    lengths = [*range(130), 8191, 100_000]
    script = (
        f"{lengths}.map(length => {{ const data = new Uint8Array(length).map((_, at) => at % 251), hash = new Sha256();"
        " for (let at = 0; at < length; at += 37) hash.update(data.subarray(at, at + 37)); return hash.hex(); })"
    )
    data = bytes(at % 251 for at in range(max(lengths)))
    assert page.tab.evaluate(script) == [hashlib.sha256(data[:length]).hexdigest() for length in lengths]


def test_a_missing_run_an_unknown_plan_and_no_bundle_end_as_in_verify_py(page: Page, tmp_path: Path) -> None:
    written = week(tmp_path / "one")
    written.export(tmp_path / "incomplete")
    plan = next(written.ledger.records(kinds=("plan",))).body
    written.export(tmp_path / "unknown", withheld={plan: "secret"})
    none = Written(tmp_path / "none")
    none.export(tmp_path / "no-plan")
    (tmp_path / "photo").mkdir()
    (tmp_path / "photo" / "photo.jpg").write_bytes(b"\xff\xd8")

    for name, code in (("incomplete", 1), ("unknown", 3), ("no-plan", 3), ("photo", 2)):
        said = page.verify(tmp_path / name)[0]
        assert said == by_stranger(tmp_path / name)[0]
        assert said.exit_code == code
