"""A secret is given by reference, read when it is needed, and refused when others could read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from portalops.config.secrets import SecretReference, check_private_file
from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError, LiteralSecret, SecretUnavailable


class Mailbox(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    password: SecretReference


def reference(folder: Path, value: object) -> SecretReference:
    return KindTable.alone("mail", "imap", {"password": value}, folder).parse(Mailbox).password


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("mật khẩu\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_file_that_is_its_owners_alone_gives_the_secret(tmp_path: Path, secret_file: Path) -> None:
    assert reference(tmp_path, {"file": "secret"}).reveal({}) == "mật khẩu"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o660])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)

    with pytest.raises(SecretUnavailable, match=f"mode 0{mode:o}") as caught:
        reference(tmp_path, {"file": "secret"}).reveal({})

    assert "chmod 600" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "empty"), (b"\n", "empty"), (b"\xff", "not text"), (b"x" * 70000, "too large")]
)
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, secret_file: Path, data: bytes, said: str) -> None:
    secret_file.write_bytes(data)

    with pytest.raises(SecretUnavailable, match=said):
        reference(tmp_path, {"file": "secret"}).reveal({})


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable, match="No such file"):
        reference(tmp_path, {"file": "absent"}).reveal({})
    with pytest.raises(SecretUnavailable, match="not a regular file"):
        check_private_file(tmp_path)


def test_a_variable_gives_the_secret(tmp_path: Path) -> None:
    by_variable = reference(tmp_path, {"env": "MAIL_PASSWORD"})

    assert by_variable.reveal({"MAIL_PASSWORD": "s3cret"}) == "s3cret"
    with pytest.raises(SecretUnavailable, match="MAIL_PASSWORD, which holds a secret, is not set"):
        by_variable.reveal({"MAIL_PASSWORD": ""})


def test_a_credential_comes_from_systemds_folder(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("s3cret")
    by_credential = reference(tmp_path, {"credential": "mail"})

    assert by_credential.reveal({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "s3cret"
    with pytest.raises(SecretUnavailable, match="CREDENTIALS_DIRECTORY is not set"):
        by_credential.reveal({})
    with pytest.raises(ConfigurationError, match="not a credential's name"):
        reference(tmp_path, {"credential": "../mail"})


def test_a_keyring_without_its_package_says_so(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable, match="the package keyring is not installed"):
        reference(tmp_path, {"keyring": "portal/mail"}).reveal({})


@pytest.mark.parametrize("value", ["hunter2", 12345])
def test_a_secret_written_out_is_refused_and_never_shown(tmp_path: Path, value: object) -> None:
    with pytest.raises(LiteralSecret) as caught:
        reference(tmp_path, value)

    assert "password contains the secret itself" in str(caught.value)
    assert str(value) not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("value", [{}, {"file": "a", "env": "b"}, {"flie": "a"}])
def test_a_reference_has_exactly_one_way(tmp_path: Path, value: object) -> None:
    with pytest.raises(ConfigurationError):
        reference(tmp_path, value)


def test_a_reference_describes_itself_without_the_secret(tmp_path: Path, secret_file: Path) -> None:
    shown = reference(tmp_path, {"file": "secret"}).describe()

    assert str(secret_file) in shown
    assert "mật khẩu" not in shown
