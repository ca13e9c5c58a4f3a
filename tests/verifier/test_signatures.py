"""verify.py's own Ed25519 and its reading of OpenSSH signatures, beside libraries and the stock program."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops.signatures.sshsig import BadSignature, SigningKey, is_weak, public_key_of, sign, verify
from tests.verifier.scene import verify_py

ORDER = 2**252 + 27742317777372353535851937790883648493
SIGNATURES_JS = Path(__file__).parents[2] / "portalops/ledger/bundle/browser/signatures.js"
RUN = """
signerOf(process.argv[1], "portalops-head", null).then(console.log, (error) => console.log(error.message));
function say(en) { return en; }
"""
PRIME = 2**255 - 19
BYTES32 = st.binary(min_size=32, max_size=32)


def by_portalops(public: bytes, message: bytes, signature: bytes) -> bool:
    """Judge as portalops does: the library, but for the keys for which anybody can sign."""
    return not is_weak(public) and by_library(public, message, signature)


def by_library(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def by_stranger(public: bytes, message: bytes, signature: bytes) -> bool:
    found = verify_py().ed25519_holds(public, message, signature)
    assert isinstance(found, bool)
    return found


def signed_by(seed: bytes, message: bytes) -> tuple[bytes, bytes]:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private.public_key().public_bytes_raw(), private.sign(message)


@pytest.mark.parametrize(
    ("public", "message", "signature"),
    [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            hashlib.sha512(b"abc").hexdigest(),
            "",
        ),
    ],
)
def test_the_vectors_of_rfc_8032_hold(public: str, message: str, signature: str) -> None:
    if not signature:  # section 7.1, TEST SHA(abc): its secret key gives the signature
        seed = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
        key, made = signed_by(seed, bytes.fromhex(message))
        assert key.hex() == public
        signature = made.hex()
    parts = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)

    assert by_stranger(*parts)
    assert by_library(*parts)


@settings(max_examples=60, deadline=None)
@given(BYTES32, st.binary(max_size=300))
def test_what_the_library_signs_holds(seed: bytes, message: bytes) -> None:
    public, signature = signed_by(seed, message)

    assert by_stranger(public, message, signature)


@settings(max_examples=150, deadline=None)
@given(BYTES32, st.binary(max_size=60), st.integers(0, 96 * 8 - 1))
def test_one_bit_more_or_less_and_it_does_not_hold(seed: bytes, message: bytes, bit: int) -> None:
    public, signature = signed_by(seed, message)
    both = bytearray(public + signature)
    both[bit // 8] ^= 1 << bit % 8
    parts = bytes(both[:32]), message, bytes(both[32:])

    assert not by_stranger(*parts)
    assert not by_library(*parts)


@settings(max_examples=150, deadline=None)
@given(BYTES32, BYTES32, st.binary(min_size=32, max_size=32), st.binary(max_size=20))
def test_both_judge_arbitrary_bytes_alike(public: bytes, first: bytes, second: bytes, message: bytes) -> None:
    assert by_stranger(public, message, first + second) == by_portalops(public, message, first + second)


@given(BYTES32, st.binary(max_size=20))
@settings(max_examples=20, deadline=None)
def test_a_second_signature_made_by_adding_the_order_is_refused(seed: bytes, message: bytes) -> None:
    public, signature = signed_by(seed, message)
    for times in (1, 2, 8):
        second = int.from_bytes(signature[32:], "little") + times * ORDER
        if second < 2**256:
            again = signature[:32] + second.to_bytes(32, "little")
            assert not by_stranger(public, message, again)
            assert not by_library(public, message, again)


@pytest.mark.parametrize("public_size", [0, 31, 33])
@pytest.mark.parametrize("signature_size", [0, 63, 65, 128])
def test_other_lengths_are_refused(public_size: int, signature_size: int) -> None:
    assert not by_stranger(b"\1" * public_size, b"", b"\1" * signature_size)


SMALL_ORDER = tuple(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)
"""The eight points of small order, written canonically."""

NOT_CANONICAL = tuple(
    (y + sign).to_bytes(32, "little")
    for y in (PRIME, PRIME + 1, PRIME + 18, 1, PRIME - 1)
    for sign in (0, 2**255)
    if y >= PRIME or sign
)
"""y not below the prime; and x = 0 with the sign of a negative one (RFC 8032, 5.1.3)."""

OTHER_ORDER = tuple((PRIME + 18 + sign).to_bytes(32, "little") for sign in (0, 2**255))
"""Those of them that are no point of small order."""


@pytest.mark.parametrize("public", SMALL_ORDER + NOT_CANONICAL, ids=bytes.hex)
def test_keys_for_which_anybody_can_sign_are_none(public: bytes) -> None:
    """The library takes a signature that nobody made; so would stock ssh-keygen."""
    forged = [(first + bytes(32), bytes([place])) for first in SMALL_ORDER for place in range(16)]
    taken = [each for each in forged if by_library(public, each[1], each[0])]

    assert bool(taken) == (public not in OTHER_ORDER)
    assert not any(by_stranger(public, message, signature) for signature, message in forged)
    assert not any(by_portalops(public, message, signature) for signature, message in forged)


def test_no_record_can_name_such_a_key() -> None:
    string = verify_py().string
    for public in SMALL_ORDER + NOT_CANONICAL:
        held = string(b"ssh-ed25519") + string(public)
        text = "ssh-ed25519 " + base64.b64encode(held).decode()

        assert not verify_py().is_key(text)
        with pytest.raises(ValueError, match="not an Ed25519 public key"):
            public_key_of(text)


@pytest.mark.parametrize("point", NOT_CANONICAL, ids=bytes.hex)
def test_points_that_are_not_written_the_one_right_way_are_refused(point: bytes) -> None:
    public, signature = signed_by(bytes(32), b"message")
    for first in SMALL_ORDER:
        assert not by_stranger(point, b"message", first + bytes(32))
    assert not by_stranger(public, b"message", point + signature[32:])


def _armour(blob: bytes) -> str:
    made = verify_py().armoured(blob)
    assert isinstance(made, str)
    return made


KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"\7" * 32))
MESSAGE = "Biên bản kiểm tra\n".encode()


def stranger_reads(signature: str, namespace: str = "portalops-head", message: bytes = MESSAGE) -> str | None:
    module = verify_py()
    try:
        found = module.signer_of(signature, namespace, module.of_bytes(message))
    except module.Bad:
        return None
    assert isinstance(found, str)
    return found


def portalops_reads(signature: str, namespace: str = "portalops-head", message: bytes = MESSAGE) -> str | None:
    try:
        return verify(message, signature, namespace)
    except BadSignature:
        return None


@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_what_stock_ssh_keygen_signs_is_read(tmp_path: Path, hash_name: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", tmp_path / "key"], check=True)
    made = subprocess.run(
        [
            "ssh-keygen",
            "-q",
            "-Y",
            "sign",
            "-O",
            f"hashalg={hash_name}",
            "-n",
            "portalops-head",
            "-f",
            str(tmp_path / "key"),
        ],
        input=MESSAGE,
        check=True,
        capture_output=True,
    ).stdout.decode()
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])

    assert stranger_reads(made) == public
    assert stranger_reads(made, "portalops-bundle") is None
    assert stranger_reads(made, message=MESSAGE + b"\n") is None
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], check=True, capture_output=True, text=True
    ).stdout.split()[1]
    assert verify_py().fingerprint(public) == fingerprint


def test_a_security_keys_signature_is_read_and_only_if_it_was_touched() -> None:
    """PROTOCOL.u2f: what is signed is the application's digest, flags, counter and the digest of the structure."""
    module = verify_py()
    private = Ed25519PrivateKey.from_private_bytes(b"\5" * 32)
    kind, application = b"sk-ssh-ed25519@openssh.com", b"ssh:"
    string = module.string
    key = string(kind) + string(private.public_key().public_bytes_raw()) + string(application)
    digest = hashlib.sha512(MESSAGE).digest()
    data = b"SSHSIG" + string(b"portalops-signoff") + string(b"") + string(b"sha512") + string(digest)
    for flags, is_touched in ((b"\1", True), (b"\5", True), (b"\0", False), (b"\4", False)):
        tail = flags + (7).to_bytes(4, "big")
        signed = hashlib.sha256(application).digest() + tail + hashlib.sha256(data).digest()
        inner = string(kind) + string(private.sign(signed)) + tail
        blob = b"SSHSIG\0\0\0\1" + b"".join(string(part) for part in (key, b"portalops-signoff", b"", b"sha512", inner))
        expected = f"{kind.decode()} {base64.b64encode(key).decode()}" if is_touched else None

        assert stranger_reads(_armour(blob), "portalops-signoff") == expected
        assert portalops_reads(_armour(blob), "portalops-signoff") == expected


GOOD = sign(MESSAGE, KEY, "portalops-head")
BLOB = base64.b64decode("".join(GOOD.splitlines()[1:-1]))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_no_byte_of_a_signature_can_be_another(place: int, change: int) -> None:
    changed = BLOB[:place] + bytes([BLOB[place] ^ change]) + BLOB[place + 1 :]

    assert stranger_reads(_armour(changed)) is None
    assert portalops_reads(_armour(changed)) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(BLOB)), st.integers(0, len(BLOB)))
def test_foreign_bytes_are_no_signature_and_no_crash(data: bytes, first: int, last: int) -> None:
    for blob in (data, BLOB[:first] + data + BLOB[last:]):
        if blob != BLOB:
            assert stranger_reads(_armour(blob)) is None
            assert portalops_reads(_armour(blob)) is None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_both_read_a_changed_text_alike(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]

    assert (stranger_reads(changed) is None) == (portalops_reads(changed) is None)


def _with(place: int, part: bytes) -> bytes:
    """Return the good signature with another one of its five parts: key, namespace, reserved, hash, signature."""
    module = verify_py()
    parts = module.strings(BLOB[10:], 5)
    parts[place] = part
    return BLOB[:10] + b"".join(module.string(each) for each in parts)


@pytest.mark.parametrize(
    "blob",
    [
        _with(1, b"portalops-bundle"),
        _with(1, b"portalops-head\0"),
        _with(1, b""),
        _with(2, b"x"),  # stock ssh-keygen passes over it
        _with(3, b"sha256"),
        _with(3, b"md5"),
        _with(3, b"SHA512"),
        BLOB + b"\0",
        BLOB[:9] + b"\2" + BLOB[10:],
    ],
    ids=["bundle", "nul", "none", "reserved", "sha256", "md5", "letters", "longer", "version"],
)
def test_a_signature_that_means_something_else_is_none(blob: bytes) -> None:
    assert stranger_reads(_armour(blob)) is None
    assert portalops_reads(_armour(blob)) is None


def _last_bits(text: str) -> str:
    """Change bits of the last letter that stand for nothing: base64 is read to the same bytes."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = text.index("=") - 1
    return text[:place] + letters[letters.index(text[place]) + 1] + text[place + 1 :]


def _one_line(text: str) -> str:
    lines = text.splitlines()
    return "\n".join((lines[0], "".join(lines[1:-1]), lines[-1], ""))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("U1NIU0lHAAB=", "not in the format of ssh-keygen"),  # bits that stand for nothing
        ("", "not in the format of ssh-keygen"),
        ("U1NIU0lHAAA", "not an OpenSSH signature"),
        ("U1NIU0lH==", "not an OpenSSH signature"),
        ("U1NIU0lHA===", "not an OpenSSH signature"),
        ("U1NI U0lHAAA=", "not an OpenSSH signature"),
    ],
)
def test_all_three_refuse_a_text_in_the_same_words(body: str, words: str) -> None:
    text = "\n".join((*GOOD.splitlines()[:1], body, *GOOD.splitlines()[-1:], ""))
    module = verify_py()

    with pytest.raises(BadSignature) as by_us:
        verify(MESSAGE, text, "portalops-head")
    with pytest.raises(module.Bad) as by_them:
        module.signer_of(text, "portalops-head", module.of_bytes(MESSAGE))

    assert [str(by_us.value), str(by_them.value), _said_by_the_page(text)] == [words] * 3


def _said_by_the_page(text: str) -> str:
    """Return why the page refuses a signature, by its own reading in Node.js."""
    script = f"{SIGNATURES_JS.read_text(encoding='utf-8')}\n{RUN}"
    done = subprocess.run(["node", "-e", script, "--", text], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("change", [_last_bits, _one_line], ids=["bits", "line"])
def test_a_signature_has_one_text_only(change: Callable[[str], str]) -> None:
    assert base64.b64decode("".join(change(GOOD).splitlines()[1:-1])) == BLOB
    assert stranger_reads(change(GOOD)) is None
    assert portalops_reads(change(GOOD)) is None
