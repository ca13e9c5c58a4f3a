from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.age import (
    CHUNK_BYTES,
    Encryptor,
    PrivateKey,
    Recipient,
    decrypted,
    parse_identity,
    parse_recipient,
    read_identities,
)
from backups.bech32 import encode
from portalops.errors import ConfigurationError, SetDamaged, WrongKey

SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES + 17)


@pytest.fixture(scope="module")
def keys() -> tuple[pyrage.x25519.Identity, pyrage.x25519.Identity]:
    return pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()


def recipients_of(keys: tuple[pyrage.x25519.Identity, ...]) -> list[Recipient]:
    return [parse_recipient(str(key.to_public())) for key in keys]


def identity_of(key: pyrage.x25519.Identity) -> PrivateKey:
    return parse_identity(str(key))


def encrypt(data: bytes, recipients: list[Recipient], piece_bytes: int = 100_000) -> bytes:
    encryptor = Encryptor(recipients)
    out = b"".join(bytes(encryptor.update(data[at : at + piece_bytes])) for at in range(0, len(data), piece_bytes))
    return out + bytes(encryptor.finish())


def sample(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(size % 256)


@pytest.mark.parametrize("size", SIZES)
def test_each_recipient_opens_it_with_pyrage(size: int, keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    sealed = encrypt(sample(size), recipients_of(keys))

    assert [pyrage.decrypt(sealed, [key]) for key in keys] == [sample(size)] * 2


@pytest.mark.parametrize("size", SIZES)
def test_what_pyrage_writes_is_read(size: int, keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    sealed = pyrage.encrypt(sample(size), [key.to_public() for key in keys])

    assert b"".join(decrypted(io.BytesIO(sealed), [identity_of(keys[1])])) == sample(size)


@pytest.mark.needs("age", "zstd", "tar")
@pytest.mark.parametrize("size", SIZES)
def test_stock_age_opens_it_and_is_opened(size: int, keys: tuple[pyrage.x25519.Identity, ...], tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"# made by a test\n{keys[0]}\n")

    ours = encrypt(sample(size), recipients_of(keys), piece_bytes=CHUNK_BYTES)
    opened = subprocess.run(["age", "-d", "-i", key_file], input=ours, capture_output=True, check=True).stdout
    theirs = subprocess.run(
        ["age", "-r", str(keys[0].to_public()), "-r", str(keys[1].to_public())],
        input=sample(size),
        capture_output=True,
        check=True,
    ).stdout

    assert opened == sample(size)
    assert b"".join(decrypted(io.BytesIO(theirs), read_identities(key_file))) == sample(size)


def test_a_private_key_is_written_as_age_keygen_writes_it() -> None:
    for _try in range(20):
        text = str(pyrage.x25519.Identity.generate())

        assert parse_identity(text).as_text() == text


def test_a_file_that_holds_another_kind_of_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "signing").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")

    with pytest.raises(WrongKey, match=f"{tmp_path}/signing: not an age private key"):
        read_identities(tmp_path / "signing")


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=6))
def test_the_cut_into_pieces_does_not_matter(pieces: list[int]) -> None:
    key = pyrage.x25519.Identity.generate()
    encryptor = Encryptor(recipients_of((key,)))

    sealed = b"".join(bytes(encryptor.update(sample(size))) for size in pieces) + bytes(encryptor.finish())

    assert pyrage.decrypt(sealed, [key]) == b"".join(sample(size) for size in pieces)


def test_another_key_does_not_open_it(keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    sealed = encrypt(b"secret", recipients_of(keys))

    with pytest.raises(WrongKey, match="not one of the 2 keys"):
        list(decrypted(io.BytesIO(sealed), [identity_of(pyrage.x25519.Identity.generate())]))


@pytest.mark.parametrize("size", [0, 10, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_file_cut_anywhere_is_damaged(size: int, keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    sealed = encrypt(sample(size), recipients_of(keys))
    identity = identity_of(keys[0])

    for kept in {
        0,
        1,
        20,
        200,
        400,
        len(sealed) // 2,
        len(sealed) - CHUNK_BYTES // 2,
        len(sealed) - 17,
        len(sealed) - 1,
    }:
        if 0 <= kept < len(sealed):
            with pytest.raises(SetDamaged):
                list(decrypted(io.BytesIO(sealed[:kept]), [identity]))


def test_a_changed_byte_anywhere_is_found(keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    sealed = encrypt(b"a portal's data", recipients_of(keys))

    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises((SetDamaged, WrongKey)):
            list(decrypted(io.BytesIO(changed), [identity_of(keys[0])]))


def test_a_chunk_taken_out_is_found(keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    sealed = encrypt(sample(3 * CHUNK_BYTES), recipients_of(keys))
    chunk = CHUNK_BYTES + 16

    with pytest.raises(SetDamaged):
        list(decrypted(io.BytesIO(sealed[: -2 * chunk] + sealed[-chunk:]), [identity_of(keys[0])]))


@pytest.mark.parametrize("text", ["", "age1", "age1qqqq", "AGE-SECRET-KEY-1ABC", "ssh-ed25519 AAAA", "age1" + "q" * 58])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_recipient(text)


@pytest.mark.parametrize(
    "point",
    [
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        2**255 - 20,
        2**255 - 19,
        2**255 - 18,
        2**255,  # zero with the bit that X25519 passes over
        2**255 + 9,  # the base point with that bit: what is sealed for it opens with no key
    ],
)
def test_a_point_for_which_nothing_can_be_sealed_is_no_public_key(point: int) -> None:
    text = encode("age", point.to_bytes(32, "little"))

    with pytest.raises(ConfigurationError, match="not an age public key"):
        parse_recipient(text)


def test_a_public_key_with_one_wrong_letter_is_refused(keys: tuple[pyrage.x25519.Identity, ...]) -> None:
    text = str(keys[0].to_public())
    wrong = text[:-1] + ("q" if text[-1] != "q" else "p")

    with pytest.raises(ConfigurationError):
        parse_recipient(wrong)


def test_a_file_without_a_private_key_says_so_and_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("# nothing here\n")
    with pytest.raises(WrongKey, match="no private key"):
        read_identities(path)

    path.write_text("AGE-SECRET-KEY-1NOTONE\n")
    with pytest.raises(WrongKey) as caught:
        read_identities(path)
    assert "NOTONE" not in str(caught.value)
