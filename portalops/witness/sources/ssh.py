"""Asks the portal's host over SSH, by one fixed command.

    [[witness.ledger]]
    id = "khanh-hoa"
    kind = "ssh"
    host = "portal.khanhhoa.gov.vn"
    user = "portalops"
    identity_file = "/etc/portalops/witness_ssh"
    host_key = "ssh-ed25519 AAAA..."
    key = "ssh-ed25519 AAAA..."
    alarm = { host = "mail.khanhhoa.gov.vn", sender = "witness@khanhhoa.gov.vn", recipients = ["so-tttt@khanhhoa.gov.vn"] }

A host that does not prove the pinned key gets no command. On the portal's host the key of the witness is let in for
this alone, by a line in authorized_keys (sshd(8)):

    restrict,command="portalops ledger extend --ssh --json" ssh-ed25519 AAAA... witness
"""

from __future__ import annotations

from pydantic import Field, StrictInt, model_validator

from portalops.config.ssh import SshPlace
from portalops.config.tables import KindTable
from portalops.config.values import RefusedValue, Text
from portalops.errors import AnchorUnavailable, HostUnreachable, IntegrityError
from portalops.json_text import read_json
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.ports import Completed, Extension
from portalops.system.ssh import run_over_ssh, target_of
from portalops.witness.extensions import (
    MAX_ANSWER_BYTES,
    NotAnExtension,
    SaysItsLedgerDoesNotHold,
    beginning,
    read_error,
    read_extension,
)
from portalops.witness.receipts import parse_receipt
from portalops.witness.sources import WatchedKind
from portalops.witness.watching import WatchSettings

MAX_RECEIPT_ANSWER_BYTES = 1 << 20


class Settings(WatchSettings, SshPlace):
    """`kind = "ssh"`."""

    command: Text = Field(
        default="portalops ledger extend --after {after} --json", description="What is run there; {after} is a number."
    )
    receipt_command: Text = Field(
        default="portalops ledger anchor --receipt - --json", description="What takes a receipt on standard input."
    )
    timeout_seconds: StrictInt = Field(default=120, ge=1, le=3600, description="How long one command may take.")

    @model_validator(mode="after")
    def _asks_for_what_is_new(self) -> Settings:
        if "{after}" not in self.command:
            raise RefusedValue(msg("has a command without {after}", after="{after}"), shows_value=False)
        return self


def build(table: KindTable) -> SshLedger:
    """Return the source that a configuration table describes."""
    return SshLedger(table.id, table.parse(Settings))


class SshLedger:
    """Another host's ledger, asked over SSH."""

    is_live = True

    def __init__(self, ledger_id: str, settings: Settings) -> None:
        self.id = ledger_id
        self.settings = settings

    def fetch(self, *, after: int) -> Extension:
        done = self._run(self.settings.command.replace("{after}", str(after)), b"", MAX_ANSWER_BYTES)
        if done.truncated:
            raise self._no_answer(
                msg("more than {limit} bytes, beginning {text}", limit=MAX_ANSWER_BYTES, text=beginning(done.stdout)),
                done,
            )
        try:
            return read_extension(done.stdout)
        except SaysItsLedgerDoesNotHold as error:
            raise IntegrityError(
                msg(
                    "the host of {ledger} reports that its own ledger is not intact: {cause}",
                    ledger=self.id,
                    cause=str(error),
                ),
                msg("Keep everything as it is on that host, and run 'portalops ledger verify' there."),
            ) from error
        except NotAnExtension as error:
            raise self._no_answer(verbatim(str(error)), done) from error

    def hand_over(self, receipt: bytes) -> None:
        done = self._run(self.settings.receipt_command, receipt, MAX_RECEIPT_ANSWER_BYTES)
        if done.exit_code != 0 or _head_taken(done.stdout) != parse_receipt(receipt).receipt.head:
            raise AnchorUnavailable(
                msg(
                    "the host of {ledger} did not accept the receipt: exit code {exit_code}, {cause}",
                    ledger=self.id,
                    exit_code=done.exit_code,
                    cause=_read_error(done),
                ),
                msg(
                    "Configure a [[ledger.anchor]] of kind witness with this witness's key on the portal's host. "
                    "The head was kept anyway."
                ),
            )

    def _run(self, command: str, stdin: bytes, limit_bytes: int) -> Completed:
        settings = self.settings
        try:
            done = run_over_ssh(
                target_of(settings),
                command,
                stdin=stdin,
                deadline_seconds=settings.timeout_seconds,
                limit_bytes=limit_bytes,
            )
        except HostUnreachable as error:
            raise AnchorUnavailable(error.message, error.hint) from error
        if done.exit_code == 124 and not done.truncated:
            raise self._no_answer(msg("nothing more came within {seconds} s", seconds=settings.timeout_seconds), done)
        return done

    def _no_answer(self, cause: Message, done: Completed) -> AnchorUnavailable:
        said = show_text(done.stderr.decode("utf-8", "backslashreplace").strip(), 200)
        return AnchorUnavailable(
            msg(
                "the answer of the host of {ledger} cannot be parsed: {cause}",
                ledger=self.id,
                cause=msg("{cause}; on standard error: {said}", cause=cause, said=said) if said else cause,
            ),
            msg("Run the command on that host by hand: {command}", command=self.settings.command),
        )


def _head_taken(answer: bytes) -> str | None:
    """Return the head that the answer says was signed for, or None if it says nothing of the kind."""
    try:
        found = read_json(answer)
        return str(found["data"]["head"]) if found["ok"] is True else None
    except (ValueError, TypeError, KeyError):
        return None


def _read_error(done: Completed) -> str:
    return read_error(done.stdout) or beginning((done.stderr or done.stdout)[-600:])


SOURCE = WatchedKind(settings=Settings, build=build)
