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
    from portalops.model.updates import Answer  # not when run: the start of every command would pay for it


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
    ExitCode.UNMET: msg("done, and something is not met"),
    ExitCode.USAGE: msg("wrong usage"),
    ExitCode.PARTIAL: msg("done in part: something could not be found out or reached"),
    ExitCode.FAILED: msg("the job failed"),
    ExitCode.INTEGRITY: msg("integrity: something recorded does not match"),
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
    explanation: ClassVar[Message] = msg("Something went wrong that has no more precise name.")

    def __init__(self, message: Message, hint: Message) -> None:
        super().__init__(str(message))
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a worker process hand its error to the one that waits: an exception is rebuilt from `args` alone else."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


# --- 10 configuration -------------------------------------------------------------------------


class ConfigurationError(PortalOpsError):
    code = "PO1001"
    exit_code = ExitCode.CONFIGURATION
    explanation = msg(
        "A value in the configuration is missing, of the wrong type or out of range. The message names the file, the "
        "line and the key. Correct it and run 'portalops config check'; nothing is run on a configuration that is wrong."
    )
    problems: tuple[ConfigurationError, ...] = ()
    """Every problem that was found together with this one, itself first; empty where there was no more to look at."""


class ConfigurationNotFound(ConfigurationError):
    code = "PO1002"
    explanation = msg(
        "There is no configuration where portalops looked for it. Name one by --config, or make one by 'portalops init'."
    )


class ConfigurationSyntax(ConfigurationError):
    code = "PO1003"
    explanation = msg("A configuration file is not valid TOML. The message names the line and column.")


class UnknownKey(ConfigurationError):
    code = "PO1004"
    explanation = msg(
        "A key in the configuration is not known, most often a misspelling; the hint names the nearest known key. "
        "Unknown keys are refused so that a misspelt setting is never silently without effect."
    )


class DuplicateId(ConfigurationError):
    code = "PO1005"
    explanation = msg("Two units, hosts, sources, media or jobs have the same id. Ids are unique across all files.")


class LiteralSecret(ConfigurationError):
    code = "PO1006"
    explanation = msg(
        "A password or key stands in the configuration itself. Secrets are given by reference only: "
        '{file = "..."}, {env = "..."}, {credential = "..."} or {keyring = "..."}.'
    )


class SecretUnavailable(ConfigurationError):
    code = "PO1007"
    explanation = msg(
        "A secret that the configuration refers to cannot be had: the file is missing or others may read it, or the "
        "variable or credential is not set."
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
        "The machine's clock is earlier than the newest record. The ledger refuses to go back in time: a record's time "
        "would prove nothing. Set the clock right; if a wrong clock wrote a record in the future, wait until that moment."
    )


class IntegrityError(LedgerError):
    code = "PO1104"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A record, blob, signature or set does not have the digest that was recorded for it. It was changed, damaged or "
        "swapped after it was recorded. Keep everything as it is, and compare with the copies and heads held elsewhere."
    )


class RunAlreadyRecorded(LedgerError):
    code = "PO1105"
    explanation = msg("A run with this id has already left a record of this kind; each run is recorded once.")


class LedgerFull(LedgerError):
    code = "PO1106"
    explanation = msg(
        "A record could not be written because the disk is full or not writable. What was acknowledged before is safe."
    )


class NotAHead(LedgerError):
    code = "PO1107"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file that was given as a head is none. A head is a text of six lines that begins with 'portalops-head 1', as "
        "reports, mails and bundles hold it."
    )


class NotABundle(LedgerError):
    code = "PO1108"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A folder that was given as a bundle is none, or of a newer format. 'portalops ledger export' writes bundles; they "
        "hold bundle.json, ledger.jsonl and SHA256SUMS."
    )


class AnchorUnavailable(LedgerError):
    code = "PO1109"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "An anchor did not take a head: it cannot be reached, refuses, or answers with something that does not hold. The "
        "head is in the ledger and goes to the other anchors; until this one has it, it proves less."
    )


class HeadRefused(LedgerError):
    code = "PO1110"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A witness got a head that does not extend the one that it keeps: the ledger was cut, rewritten or exchanged since, "
        "or the head is not signed by the ledger's key. Keep everything as it is, and compare with the copies held elsewhere."
    )


class NotAReceipt(LedgerError):
    code = "PO1111"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "What was given as the receipt of a witness is none. A receipt is a text of six lines that begins with "
        "'portalops-receipt 1', with an OpenSSH signature behind it."
    )


# --- 12 backups -------------------------------------------------------------------------------


class BackupError(PortalOpsError):
    code = "PO1201"
    explanation = msg("A backup, verification or restore failed.")


class SourceUnavailable(BackupError):
    code = "PO1202"
    explanation = msg("A source of the backup could not be read at all: a missing file or folder, a failed program.")


class MediumUnavailable(BackupError):
    code = "PO1203"
    explanation = msg(
        "A backup medium could not be written or read: it is not mounted, full, read-only, or refuses access. The other "
        "media of the run are not stopped by it."
    )


class SetDamaged(BackupError):
    code = "PO1204"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A backup set on a medium does not match what was recorded when it was made: a file is missing or its bytes "
        "differ. Restore from another copy, and have the medium looked at."
    )


class SetNotFound(BackupError):
    code = "PO1205"
    explanation = msg("There is no such backup set on the media or in the ledger. 'portalops backup list' shows them.")


class WrongKey(BackupError):
    code = "PO1206"
    explanation = msg("The given key does not open the set. A set opens with the operator's or the escrow key only.")


class UnsafeTarget(BackupError):
    code = "PO1207"
    explanation = msg("A restore was refused because it would overwrite something or leave its target folder.")


class TooFewRecipients(BackupError):
    code = "PO1208"
    exit_code = ExitCode.CONFIGURATION
    explanation = msg(
        "A set must open with at least two keys, the operator's and the escrow key, so that one lost key loses nothing."
    )


class SetLocked(BackupError):
    code = "PO1209"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "A backup set cannot be removed from a medium that keeps it locked, such as a bucket under Object Lock. It stays until "
        "its lock ends; nothing of it was removed."
    )


class PruneRefused(BackupError):
    code = "PO1210"
    explanation = msg(
        "Removing old backup sets was refused before anything was marked or removed: what is to be kept is decided by the clock "
        "and by the records, and one of them cannot be relied on now."
    )


class MediumInterrupted(MediumUnavailable):
    code = "PO1211"
    explanation = msg(
        "A backup medium elsewhere could not be reached, or its server was at fault: a connection broke, no answer came in time, "
        "the server was overloaded. Nothing was refused, so it is tried again a few times before it is told; a copy is made up "
        "later by 'portalops backup copy', which goes on where this one was cut."
    )


class SetOfLaterVersion(BackupError):
    code = "PO1212"
    explanation = msg(
        "A backup set was made by a later version of portalops, in a form that this one does not know. It is neither damaged nor "
        "verified by that: a newer portalops reads it, and so do age, zstd and tar, as RESTORE in the set says."
    )


class DrillReportRefused(BackupError):
    code = "PO1215"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A drill report of a recovery host was not taken up: its signature does not hold, nobody has named its key in "
        "backup.drill.trusted, or it does not fit what the ledger knows of the set. Nothing was recorded."
    )


# --- 13 server checks -------------------------------------------------------------------------


class CheckError(PortalOpsError):
    code = "PO1301"
    explanation = msg("A round of server checks could not be done.")


class HostUnreachable(CheckError):
    code = "PO1302"
    exit_code = ExitCode.PARTIAL
    explanation = msg("A host could not be looked at. All its checks are unknown, none of them passes.")


class UnknownCheck(CheckError):
    code = "PO1303"
    exit_code = ExitCode.USAGE
    explanation = msg("There is no check of this id. 'portalops check list' shows them.")


class HostAway(HostUnreachable):
    code = "PO1304"
    explanation = msg(
        "A host did not answer, or the connection to it broke before a session was open. It refused nothing, so it may work again "
        "by itself; until then all its checks are unknown."
    )


class HostKeyChanged(HostUnreachable):
    code = "PO1310"
    explanation = msg(
        "A host did not prove the key that is recorded for it: another machine answers at its address, or its key was made anew. It got no "
        "command and no login. Compare the fingerprint with what stands on paper, on the host itself and not over the network; if the "
        "key was changed on purpose, record the new one: portalops host enroll HOST --replace --reason TEXT."
    )


class HostNotEnrolled(HostUnreachable):
    code = "PO1311"
    explanation = msg(
        "No key is recorded for a host, so nothing can tell it from another machine, and it gets no command: all its checks are unknown. "
        "'portalops host enroll' shows its key, to be compared with a fingerprint on paper, and records it."
    )


class LegacySsh(HostUnreachable):
    code = "PO1312"
    explanation = msg(
        "A host offers only ways of SSH that are broken by now, such as SHA-1, so no session is opened with it and all its checks are "
        "unknown. Renew its SSH server, or bring its facts by hand: 'portalops host script HOST' prints what to run on it."
    )


class FactsRefused(CheckError):
    code = "PO1313"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file of facts that was brought by hand is not taken: it is damaged, answers no script that was issued for this host, "
        "or answers one that is too old or was answered before. Nothing was recorded. 'portalops host script HOST' issues a new one."
    )


class VulnerabilityDataRefused(CheckError):
    code = "PO1320"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file that a bundle of vulnerabilities is built of is not what it should be: cut short, too large, or of another form. "
        "The message names the file and the record. Nothing is written of a part of a file: fetch it again."
    )


class VulnerabilityBundleRefused(CheckError):
    code = "PO1321"
    exit_code = ExitCode.INTEGRITY
    explanation = msg(
        "A bundle of vulnerabilities is not signed by a key in checks.vulnerabilities.keys, was changed, or is of another form. "
        "It is not used, and the checks that need it are unknown. Fetch it again, or have it built again."
    )


class ImportRefused(CheckError):
    code = "PO1305"
    exit_code = ExitCode.USAGE
    explanation = msg(
        "A file that was given as another tool's report is none, or none that can be read whole: it is of another form, was broken "
        "off, is too large, or holds what a report does not need. Nothing was recorded."
    )


# --- 14 updates -------------------------------------------------------------------------------


class UpdatesError(PortalOpsError):
    code = "PO1401"
    explanation = msg("Collecting or judging the updates failed.")


class UpdateSourceError(UpdatesError):
    code = "PO1402"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "A source of updates could not be read or does not have the expected form: a feed that is not XML, a query "
        "without the expected columns, a register line with a date in the future. The other sources are collected; the "
        "period is judged with the gap shown."
    )
    answer: Answer | None = None
    """What there was of an answer all the same, to be kept as evidence; None if there was nothing."""


# --- 15 reports -------------------------------------------------------------------------------


class ReportError(PortalOpsError):
    code = "PO1501"
    explanation = msg("A report could not be built or written.")


class UnknownReport(ReportError):
    code = "PO1502"
    exit_code = ExitCode.USAGE
    explanation = msg("There is no report or format of this name. 'portalops report list' shows them.")


# --- 16 jobs, locks, usage --------------------------------------------------------------------


class UsageError(PortalOpsError):
    code = "PO1601"
    exit_code = ExitCode.USAGE
    explanation = msg("The command was called in a way that it does not understand.")


class Locked(PortalOpsError):
    code = "PO1602"
    exit_code = ExitCode.LOCKED
    explanation = msg(
        "Another run of portalops holds the lock of this resource. It is freed by itself when that run ends, also if it "
        "is killed; try again later."
    )


class FileUnwritable(PortalOpsError):
    code = "PO1603"
    explanation = msg("A file could not be written: the folder is missing, the disk is full, or access is refused.")


class MailNotSent(PortalOpsError):
    code = "PO1604"
    explanation = msg(
        "A mail could not be handed to the mail server: it cannot be reached, its certificate is not trusted, or it refuses "
        "the login or a recipient. Nobody got the mail; it is not kept here for later."
    )


class MailInDoubt(MailNotSent):
    code = "PO1605"
    exit_code = ExitCode.PARTIAL
    explanation = msg(
        "The mail server was given a whole mail and did not say whether it took it: the connection broke, or no answer came "
        "in time. The recipients may have it or not; a mail that is sent again may come twice."
    )


class NotificationNotSent(PortalOpsError):
    code = "PO1606"
    explanation = msg(
        "A letter could not be handed to a channel of [[notify.channel]]: its service cannot be reached, refuses it or does "
        "not end in time, or the address in its secret is none. The letter is kept, and the next run tries again."
    )
    in_doubt: bool = False
    """It was handed over, and no answer came: who sends it again may send it twice."""


class NotifyStateUnreadable(PortalOpsError):
    code = "PO1607"
    explanation = msg(
        "What was told to whom before cannot be read from the state folder. The next run moves that file aside and begins "
        "anew: what still fails is told again, and letters that waited in it are lost with it."
    )


class ScheduleRefused(PortalOpsError):
    code = "PO1610"
    explanation = msg(
        "The schedule was not installed or removed, and everything is as it was: a file was edited by hand or is somebody "
        "else's, there is no right to write it, the account or the program would not do, or systemd refused. The message "
        "says which, the hint what to do."
    )


class InternalFault(PortalOpsError):
    code = "PO1901"
    exit_code = ExitCode.FAULT
    explanation = msg(
        "A fault in portalops itself. Nothing is called met because of it. Run the command again with --debug and keep "
        "what it prints."
    )
