"""Asking a program on this machine: without a shell, within a deadline, with its secrets in variables of its own."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StrictInt

from backups.adopters._settings import AdopterSettings, NotAnswered
from portalops.config.secrets import SecretReference
from portalops.config.values import Text
from portalops.json_text import read_json
from portalops.model.text import show_text
from portalops.ports import Completed
from portalops.system.programs import LocalRunner

MAX_ANSWER_BYTES = 64 << 20
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class ProgramSettings(AdopterSettings):
    """The keys of the kinds that ask a program."""

    program: Text | None = Field(default=None, description="The tool, if it is not found by its usual name.")
    environment: dict[VariableName, str] = Field(default_factory=dict, description="Variables for it; no secrets.")
    secrets: dict[VariableName, SecretReference] = Field(
        default_factory=dict, description="Variables for it that hold secrets, each by reference."
    )
    timeout_seconds: StrictInt = Field(default=600, ge=1, le=86_400, description="How long it may take.")


def ask_program(
    settings: ProgramSettings,
    argv: tuple[str, ...],
    *,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
    secrets: Mapping[str, SecretReference] | None = None,
    good_exits: frozenset[int] = frozenset({0}),
) -> bytes:
    """Run a tool and return what it prints on standard output.

    Args:
        settings: its table.
        argv: never a secret.
        stdin: what it reads.
        variables: that the kind gives it; those of the table win.
        secrets: that the kind gives it.
        good_exits: exit codes with which its output counts.

    Raises:
        NotAnswered: it is not there, took too long, printed too much, or ended otherwise.
        SecretUnavailable: a secret cannot be had.
    """
    revealed = {name: each.reveal(os.environ) for name, each in {**(secrets or {}), **settings.secrets}.items()}
    # Its home tells a tool where its own settings and keys are; nothing else of our environment is its business.
    neutral = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": _home()}
    environment = {**neutral, **(variables or {}), **settings.environment, **revealed}
    done = LocalRunner(environment).run(
        argv, stdin=stdin, timeout_seconds=settings.timeout_seconds, limit_bytes=MAX_ANSWER_BYTES
    )
    program = show_text(argv[0], 120)
    if done.exit_code == 127 and not done.stdout:
        raise NotAnswered(f"{program} is not installed")
    if done.truncated:
        raise NotAnswered(f"{program} printed more than {MAX_ANSWER_BYTES >> 20} MiB")
    if done.exit_code == 124:
        raise NotAnswered(f"{program} took longer than {settings.timeout_seconds} s")
    if done.exit_code not in good_exits:
        said = _last_words(done)
        for secret in revealed.values():
            said = said.replace(secret, "[secret]")
        raise NotAnswered(f"{program} ended with exit code {done.exit_code}: {show_text(said, 300) or '-'}")
    return done.stdout


def json_of(answer: bytes) -> Any:
    """Return an answer's JSON.

    Raises:
        NotAnswered: it is not such an answer.
    """
    try:
        return read_json(answer)
    except ValueError as error:
        raise NotAnswered(f"the answer is no JSON: {show_text(str(error), 120)}") from error


def _last_words(done: Completed) -> str:
    """Return the end of what a tool said, on standard error if it said something there; its JSON errors unpacked."""
    text = " ".join((done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace").split())
    try:
        message = read_json(text).get("message")
    except (ValueError, AttributeError):
        message = None
    return (message if isinstance(message, str) else text)[-300:]


def _home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"
