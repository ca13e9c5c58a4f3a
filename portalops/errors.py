"""Every error a person can meet: its code, its exit code, what it means and what to do.

An error is two lines on the terminal, `error[PO1203]: ...` and `hint: ...`, and a page behind
`portalops explain PO1203`. Each class is one code and never changes its meaning; the class knows
its exit code. Codes go by hundreds: 10 configuration, 11 ledger, 12 backups, 13 server checks,
14 updates, 15 reports, 16 jobs and locks, 19 portalops itself.

The text names the object and the observed value, lower case and without a full stop; the hint is
a sentence with the next command. Neither ever holds a secret.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

from portalops.model.message import Message, msg

if TYPE_CHECKING:
    from portalops.model.updates import UpdateAnswer  # not when run: the start of every command would pay for it


class ExitCode(IntEnum):
    """What the process says to its caller. The table is docs/exit-codes.md; a test compares them."""

    OK = 0
    UNMET = 1
    USAGE = 2
    PARTIAL = 3
    FAILED = 4
    INTEGRITY = 5
    FAULT = 70
    LOCKED = 75
    CONFIGURATION = 78
    INTERRUPTED = 130

    @property
    def meaning(self) -> Message:
        """Say in one phrase what the code means."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: msg("done, everything is met"),
    ExitCode.UNMET: msg("done, but something is not met"),
    ExitCode.USAGE: msg("wrong usage"),
    ExitCode.PARTIAL: msg("partly done: something is unknown or could not be reached"),
    ExitCode.FAILED: msg("the job failed"),
    ExitCode.INTEGRITY: msg("integrity: something does not match its record"),
    ExitCode.FAULT: msg("a fault in portalops itself"),
    ExitCode.LOCKED: msg("another run holds the lock; try later"),
    ExitCode.CONFIGURATION: msg("the configuration is wrong"),
    ExitCode.INTERRUPTED: msg("interrupted"),
}

WORST_FIRST = (
    ExitCode.INTEGRITY,
    ExitCode.FAULT,
    ExitCode.FAILED,
    ExitCode.CONFIGURATION,
    ExitCode.LOCKED,
    ExitCode.UNMET,
    ExitCode.PARTIAL,
    ExitCode.OK,
)
"""Which code wins when several things happened in one run (architecture.md, Command line)."""


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the worst of several exit codes; OK for none."""
    found = set(codes)
    return next((code for code in WORST_FIRST if code in found), ExitCode.OK)


class PortalOpsError(Exception):
    """The root of everything that portalops raises on purpose."""

    code: ClassVar[str] = "PO1900"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    explanation: ClassVar[Message] = msg("An error that has no code of its own. The message describes it.")

    def __init__(self, message: Message, hint: Message) -> None:
        super().__init__(str(message))
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Make the error picklable: a worker process sends it to its parent, and pickle rebuilds exceptions from `args` alone."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


# --- 10 configuration -------------------------------------------------------------------------


class ConfigurationError(PortalOpsError):
    code = "PO1001"
    exit_code = ExitCode.CONFIGURATION
    explanation = msg(
        "A value in the configuration is missing, of the wrong type or out of range. The message names the file, "
        "the line and the key. Correct it and run 'portalops config check'. No job runs until the configuration "
        "is right."
    )
    problems: tuple[ConfigurationError, ...] = ()
    """Every problem found in the same pass, this one first; empty if this is the only one."""


class ConfigurationNotFound(ConfigurationError):
    code = "PO1002"
    explanation = msg(
        "No configuration file was found in the usual folders. Name one with --config, or make one with "
        "'portalops init'."
    )


class ConfigurationSyntax(ConfigurationError):
    code = "PO1003"
    explanation = msg("A configuration file is not valid TOML. The message names the line and column.")


class UnknownKey(ConfigurationError):
    code = "PO1004"
    explanation = msg(
        "The configuration has an unknown key, most often a misspelling; the hint names the nearest known key. "
        "Unknown keys are refused because a misspelt setting would have no effect and nobody would notice."
    )


class DuplicateId(ConfigurationError):
    code = "PO1005"
    explanation = msg("Two units, hosts, sources, media or jobs have the same id. Ids are unique across all files.")


class LiteralSecret(ConfigurationError):
    code = "PO1006"
    explanation = msg(
        "The configuration itself contains a password or key. Secrets are given by reference only: {file = "
        '"..."}, {env = "..."}, {credential = "..."} or {keyring = "..."}.'
    )


class SecretUnavailable(ConfigurationError):
    code = "PO1007"
    explanation = msg(
        "A secret that the configuration refers to cannot be read: the file is missing or others may read it, or "
        "the variable or credential is not set."
    )


class UnknownKind(ConfigurationError):
    code = "PO1008"
    explanation = msg("The configuration asks for a kind of source, medium or format that this version does not have.")


# --- 11 ledger --------------------------------------------------------------------------------


class LedgerError(PortalOpsError):
    code = "PO1101"
    explanation = msg("The ledger could not be opened, read or written.")


class LedgerMissing(LedgerError):
    code = "PO1102"
    explanation = msg("There is no ledger yet in the state folder. 'portalops run' makes one with its first record.")


class ClockWentBack(LedgerError):
    code = "PO1103"
    explanation = msg(
        "The machine's clock is earlier than the newest record. The ledger takes no record that is earlier than "
        "the one before it, because times would then prove nothing. Set the clock right. If a wrong clock wrote records in "
        "the future, two persons say so: portalops ledger mend-clock (docs/stopped.md). Backups are made all the same, and recorded afterwards; no duty is met by them."
    )


class IntegrityError(LedgerError):
    code = "PO1104"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A record, blob, signature or backup set does not match the digest that was recorded for it. It was "
        "changed, damaged or replaced after it was recorded. Keep everything as it is, and compare it with the "
        "copies and heads that are kept elsewhere."
    )


class RunAlreadyRecorded(LedgerError):
    code = "PO1105"
    explanation = msg("The ledger already holds a record of this kind for this run. Each run is recorded once.")


class LedgerFull(LedgerError):
    code = "PO1106"
    explanation = msg(
        "A record could not be written because the disk is full or not writable. Every record that was confirmed "
        "before is safe."
    )


class NotAHead(LedgerError):
    code = "PO1107"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "The given file is not a head. A head is a text of six lines that begins with 'portalops-head 1'; "
        "reports, mails and bundles hold one."
    )


class NotABundle(LedgerError):
    code = "PO1108"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "The given folder is not a bundle, or is a bundle of a newer format. 'portalops ledger export' writes "
        "bundles; they hold bundle.json, ledger.jsonl and SHA256SUMS."
    )


class AnchorUnavailable(LedgerError):
    code = "PO1109"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "An anchor did not accept a head: it cannot be reached, refuses it, or its answer is not valid. The head "
        "is in the ledger and goes to the other anchors. Until this anchor has it too, less is proved."
    )


class HeadRefused(LedgerError):
    code = "PO1110"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A witness received a head that does not extend the head that it keeps. The ledger was cut, rewritten or "
        "replaced since then, or the head is not signed by the ledger's key. Keep everything as it is, and "
        "compare it with the copies that are kept elsewhere."
    )


class NotAReceipt(LedgerError):
    code = "PO1111"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "The given text is not the receipt of a witness. A receipt is a text of six lines that begins with "
        "'portalops-receipt 1', followed by an OpenSSH signature."
    )


class ClockJumped(LedgerError):
    code = "PO1112"
    explanation = msg(
        "The machine's clock is more than a day after the newest record, no time service keeps it, and the time since boot does "
        "not account for that day. The ledger takes no record then: one of the future would stop it until that moment. Set the "
        "clock right. If it is right, 'portalops ledger confirm-clock' says so, under a person's name. Backups are made all the same, "
        "and recorded afterwards; no duty is met by them."
    )


# --- 12 backups -------------------------------------------------------------------------------


class BackupError(PortalOpsError):
    code = "PO1201"
    explanation = msg("A backup, verification or restore failed.")


class SourceUnavailable(BackupError):
    code = "PO1202"
    explanation = msg("A backup source could not be read at all: a file or folder is missing, or a program failed.")


class MediumUnavailable(BackupError):
    code = "PO1203"
    explanation = msg(
        "A backup medium could not be written or read: it is not mounted, full or read-only, or it refuses "
        "access. The run goes on with its other media."
    )


class SetDamaged(BackupError):
    code = "PO1204"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A backup set on a medium does not match its record: a file is missing or its bytes differ. Restore from "
        "another copy, and have the medium examined."
    )


class SetNotFound(BackupError):
    code = "PO1205"
    explanation = msg(
        "Neither the media nor the ledger hold such a backup set. 'portalops backup list' shows all sets."
    )


class WrongKey(BackupError):
    code = "PO1206"
    explanation = msg("The given key does not open the backup set. Only the operator's key and the escrow key open it.")


class UnsafeTarget(BackupError):
    code = "PO1207"
    explanation = msg("A restore was refused because it would overwrite something or write outside its target folder.")


class TooFewRecipients(BackupError):
    code = "PO1208"
    exit_code = ExitCode.CONFIGURATION
    explanation = msg(
        "A backup set must open with at least two keys, the operator's and the escrow key. Then no data is lost "
        "when one key is."
    )


class SetLocked(BackupError):
    code = "PO1209"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "A backup set cannot be removed because its medium keeps it locked, such as a bucket under Object Lock. "
        "It stays until its lock ends; nothing of it was removed."
    )


class PruneRefused(BackupError):
    code = "PO1210"
    explanation = msg(
        "Old backup sets were not removed; nothing was marked or deleted. The clock and the records decide which "
        "sets are kept, and one of them is not reliable now."
    )


class MediumInterrupted(MediumUnavailable):
    code = "PO1211"
    explanation = msg(
        "A remote backup medium could not be reached, or its server failed: the connection broke, no answer came "
        "in time, or the server was overloaded. Several retries failed too. 'portalops backup replicate' makes the "
        "missing copy later and continues where this one broke off."
    )


class SetOfLaterVersion(BackupError):
    code = "PO1212"
    explanation = msg(
        "A backup set was made by a later version of portalops, in a format that this version does not know. So "
        "it is neither damaged nor verified. A newer portalops reads it; so do age, zstd and tar, as the file "
        "RESTORE in the set describes."
    )


class DrillReportRefused(BackupError):
    code = "PO1215"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A drill report of a recovery host was not recorded: its signature is not valid, its key is not in "
        "backup.drill.trusted, or it contradicts the ledger's records of the set."
    )


# --- 13 server checks -------------------------------------------------------------------------


class CheckError(PortalOpsError):
    code = "PO1301"
    explanation = msg("A scan of the hosts could not be done.")


class HostUnreachable(CheckError):
    code = "PO1302"
    exit_code = ExitCode.PARTIAL
    explanation = msg("A host could not be scanned. All its checks are unknown; none of them passes.")


class UnknownCheck(CheckError):
    code = "PO1303"
    exit_code = ExitCode.USAGE
    explanation = msg("There is no check with this id. 'portalops check list' shows all checks.")


class HostAway(HostUnreachable):
    code = "PO1304"
    explanation = msg(
        "A host did not answer, or the connection broke before a session was open. The host refused nothing, so "
        "the next try may succeed. Until then all its checks are unknown."
    )


class HostKeyChanged(HostUnreachable):
    code = "PO1310"
    explanation = msg(
        "A host did not prove the key that is recorded for it. Another machine answers at its address, or its "
        "key was replaced. No command and no login was sent to it. Compare the key's fingerprint with the one on "
        "paper, at the host itself and not over the network. If the key was replaced on purpose, record the new "
        "one: portalops host enroll HOST --replace --reason TEXT."
    )


class HostNotEnrolled(HostUnreachable):
    code = "PO1311"
    explanation = msg(
        "No key is recorded for a host, so it cannot be told apart from another machine. No command is sent to "
        "it, and all its checks are unknown. 'portalops host enroll' shows its key, which you compare with a "
        "fingerprint on paper, and records it."
    )


class LegacySsh(HostUnreachable):
    code = "PO1312"
    explanation = msg(
        "A host offers only SSH algorithms that are no longer secure, such as SHA-1. No session is opened with "
        "it, and all its checks are unknown. Upgrade its SSH server, or supply its facts by hand: 'portalops "
        "host script HOST' prints what to run on it."
    )


class FactsRefused(CheckError):
    code = "PO1313"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file of facts that was supplied by hand is refused: it is damaged, belongs to no script that was "
        "issued for this host, or its script is too old or was answered before. Nothing was recorded. 'portalops "
        "host script HOST' issues a new script."
    )


class VulnerabilityDataRefused(CheckError):
    code = "PO1320"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file that a vulnerability bundle is built from is truncated, too large or not in the expected format. "
        "The message names the file and the record. No bundle was written. Fetch the file again."
    )


class VulnerabilityBundleRefused(CheckError):
    code = "PO1321"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A vulnerability bundle is not signed by a key in checks.vulnerabilities.keys, was changed, or is not in "
        "the expected format. It is not used, and the checks that need it are unknown. Fetch it again, or have "
        "it built again."
    )


class ImportRefused(CheckError):
    code = "PO1305"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file that was given as another tool's report cannot be read as one: it has another format, is "
        "truncated or too large, or holds things that a report does not need. Nothing was recorded."
    )


# --- 14 updates -------------------------------------------------------------------------------


class UpdatesError(PortalOpsError):
    code = "PO1401"
    explanation = msg("Collecting or judging the updates failed.")


class UpdateSourceError(UpdatesError):
    code = "PO1402"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "An update source could not be read or does not have the expected format: a feed that is not XML, a "
        "query without the expected columns, or a register line with a date in the future. The other sources are "
        "polled, and the period is judged with this gap shown."
    )
    answer: UpdateAnswer | None = None
    """The part of the answer that arrived, kept as evidence; None if nothing arrived."""


# --- 15 reports -------------------------------------------------------------------------------


class ReportError(PortalOpsError):
    code = "PO1501"
    explanation = msg("A report could not be built or written.")


class UnknownReport(ReportError):
    code = "PO1502"
    exit_code = ExitCode.USAGE
    explanation = msg("There is no report or format of this name. 'portalops report list' shows all of them.")


# --- 16 jobs, locks, usage --------------------------------------------------------------------


class UsageError(PortalOpsError):
    code = "PO1601"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "The command line is wrong: an argument or option is unknown, missing or not allowed here. "
        "Add --help to the command to see what it takes."
    )


class Locked(PortalOpsError):
    code = "PO1602"
    exit_code = ExitCode.LOCKED
    explanation = msg(
        "Another run of portalops holds the lock on this resource. The lock ends with that run, even if the run "
        "is killed. Try again later."
    )


class FileUnwritable(PortalOpsError):
    code = "PO1603"
    explanation = msg("A file could not be written: the folder is missing, the disk is full, or access is refused.")


class MailNotSent(PortalOpsError):
    code = "PO1604"
    explanation = msg(
        "A mail could not be given to the mail server: the server cannot be reached, its certificate is not "
        "trusted, or it refuses the login or a recipient. Nobody received the mail, and it is not queued."
    )


class MailInDoubt(MailNotSent):
    code = "PO1605"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "The mail server received a whole mail but did not confirm it: the connection broke, or no answer came "
        "in time. The recipients may or may not get it. If you send it again, it may arrive twice."
    )


class NotificationNotSent(PortalOpsError):
    code = "PO1606"
    explanation = msg(
        "A letter could not be sent through a channel of [[notify.channel]]: its service cannot be reached, "
        "refuses it or does not answer in time, or its secret holds no valid address. The letter is kept, and "
        "the next run tries again."
    )
    in_doubt: bool = False
    """The service received the letter but did not answer: sending it again may deliver it twice."""


class NotifyStateUnreadable(PortalOpsError):
    code = "PO1607"
    explanation = msg(
        "The file in the state folder that lists the notifications already sent cannot be read. The next run "
        "moves it aside and starts a new one. Failures that last are then reported again; letters that were "
        "waiting in the file are lost."
    )


class ScheduleRefused(PortalOpsError):
    code = "PO1610"
    explanation = msg(
        "The schedule was not installed or removed, and nothing was changed. A file was edited by hand or is not "
        "from portalops, may not be written, the account or program is unsuitable, or systemd refused. The "
        "message names the cause, the hint the next step."
    )


class OutOfMemory(PortalOpsError):
    code = "PO1611"
    explanation = msg(
        "The system gave no more memory: a limit of this process (ulimit -v, a unit's MemoryMax), or the machine has no more. "
        "Nothing that was not finished counts as done."
    )


class InternalFault(PortalOpsError):
    code = "PO1901"
    exit_code = ExitCode.FAULT
    explanation = msg(
        "A fault in portalops itself. No duty is called met because of it. Run the command again with --debug "
        "and keep its output."
    )
