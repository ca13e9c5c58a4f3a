"""Keys are made once, in the formats of the stock programs, and never overwritten."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from portalops.config import load
from portalops.config.keys import KeyState, ensure_recipient, ensure_signing_key, public_of_identity
from portalops.config.settings import RecipientSetting
from portalops.errors import ConfigurationError, SecretUnavailable

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def recipient(folder: Path, file: str = "keys/operator.age.pub") -> RecipientSetting:
    text = f'[portal]\nid = "kh"\nname = {{ vi = "C" }}\n[backup]\nrecipients = [{{ name = "operator", file = "{file}" }}]\n'
    path = folder / "portalops.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {}).backup.recipient_settings[0]


def test_a_new_pair_opens_what_its_public_key_closed(tmp_path: Path) -> None:
    key = ensure_recipient(recipient(tmp_path), made_at=NOW)

    text = key.private_file.read_text(encoding="utf-8")
    identity = pyrage.x25519.Identity.from_str(text.splitlines()[-1])
    sealed = pyrage.encrypt(b"data", [pyrage.x25519.Recipient.from_str(key.public_key)])
    assert pyrage.decrypt(sealed, [identity]) == b"data"
    assert text.startswith(f"# created: 2026-11-24T08:30:00Z\n# public key: {key.public_key}\n")
    assert stat.S_IMODE(key.private_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.private_file.parent.stat().st_mode) == 0o700
    assert key.state is KeyState.MADE


def test_nothing_is_made_twice(tmp_path: Path) -> None:
    first = ensure_recipient(recipient(tmp_path), made_at=NOW)
    again = ensure_recipient(recipient(tmp_path), made_at=NOW)

    assert (again.state, again.public_key) == (KeyState.PRESENT, first.public_key)


def test_a_lost_public_key_is_derived_from_the_private_one(tmp_path: Path) -> None:
    first = ensure_recipient(recipient(tmp_path), made_at=NOW)
    first.public_file.unlink()

    again = ensure_recipient(recipient(tmp_path), made_at=NOW)

    assert (again.state, again.public_key) == (KeyState.COMPLETED, first.public_key)


def test_a_private_key_that_is_elsewhere_stays_elsewhere(tmp_path: Path) -> None:
    first = ensure_recipient(recipient(tmp_path), made_at=NOW)
    first.private_file.unlink()

    again = ensure_recipient(recipient(tmp_path), made_at=NOW)

    assert again.state is KeyState.PUBLIC_ONLY
    assert not again.private_is_here
    assert not first.private_file.exists()


def test_a_public_file_needs_its_suffix(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"does not end in \.pub"):
        ensure_recipient(recipient(tmp_path, "keys/operator"), made_at=NOW)


def test_a_damaged_private_key_is_refused_and_kept(tmp_path: Path) -> None:
    setting = recipient(tmp_path)
    private = tmp_path / "keys/operator.age"
    private.parent.mkdir()
    private.write_text("AGE-SECRET-KEY-1BROKEN\n", encoding="utf-8")
    private.chmod(0o600)

    with pytest.raises(SecretUnavailable, match="holds no age private key"):
        ensure_recipient(setting, made_at=NOW)

    assert private.read_text(encoding="utf-8") == "AGE-SECRET-KEY-1BROKEN\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no age public key"),
        ("AGE-SECRET-KEY-1X\n", "holds a private key"),
        ("age1\n", "holds no age public key"),
    ],
)
def test_a_public_file_holds_one_public_key(tmp_path: Path, text: str, said: str) -> None:
    setting = recipient(tmp_path)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/operator.age.pub").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=said) as caught:
        setting.read()

    assert "SECRET-KEY-1X" not in f"{caught.value}{caught.value.hint}"
    assert f"{tmp_path}/portalops.toml:5" in str(caught.value)


def test_a_signing_key_is_made_once(tmp_path: Path) -> None:
    first = ensure_signing_key(tmp_path / "signing", comment="portalops@kh")
    again = ensure_signing_key(tmp_path / "signing", comment="portalops@kh")

    assert (first.state, again.state) == (KeyState.MADE, KeyState.PRESENT)
    assert first.public_key == again.public_key
    assert first.public_key.startswith("ssh-ed25519 ")
    assert stat.S_IMODE(first.private_file.stat().st_mode) == 0o600


def test_a_signing_pair_is_not_replaced_when_one_half_is_missing(tmp_path: Path) -> None:
    key = ensure_signing_key(tmp_path / "signing", comment="portalops@kh")
    key.private_file.unlink()

    with pytest.raises(SecretUnavailable, match="its private key is missing"):
        ensure_signing_key(tmp_path / "signing", comment="portalops@kh")


def test_another_kind_of_signing_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "signing").write_text("not a key", encoding="utf-8")
    (tmp_path / "signing").chmod(0o600)

    with pytest.raises(SecretUnavailable, match="not an Ed25519 private key"):
        ensure_signing_key(tmp_path / "signing", comment="x")


@pytest.mark.needs("age", "zstd", "tar")
@pytest.mark.needs("age", "ssh-keygen")
def test_the_stock_programs_read_both_keys(tmp_path: Path) -> None:
    pair = ensure_recipient(recipient(tmp_path), made_at=NOW)
    signing = ensure_signing_key(tmp_path / "signing", comment="portalops@kh")

    by_age = subprocess.run(["age-keygen", "-y", pair.private_file], capture_output=True, text=True, check=True)
    by_ssh = subprocess.run(
        ["ssh-keygen", "-y", "-f", signing.private_file], capture_output=True, text=True, check=True
    )

    assert by_age.stdout.strip() == pair.public_key == public_of_identity(pair.private_file)
    assert by_ssh.stdout.split()[1] == signing.public_key.split()[1]
