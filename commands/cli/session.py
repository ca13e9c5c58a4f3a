"""What a command works with: configuration, ledger, clock, progress, each opened when it is first needed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from commands.cli.invocation import Invocation
from commands.cli.ledger_store import kept_as_configured
from commands.cli.progress import progress_for
from portalops import calendar, config
from portalops.errors import ExitCode, IntegrityError, LedgerMissing, PortalOpsError, SecretUnavailable
from portalops.ledger.circumstances import collect
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import HeedfulLedger, find_time_order, has_writers, heeds_move
from portalops.ledger.ledger import Ledger, kept_in
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.ledger.recorder import Recorder
from portalops.ledger.runs import read_attempts
from portalops.model.message import Message, msg
from portalops.ports import Clock, Progress, Runner
from portalops.private_folder import close_to_others
from portalops.rulebooks.load import load as load_rulebook
from portalops.signatures.sshsig import SigningKey, public_key_of
from portalops.system.clock import SystemClock
from portalops.system.locks import describe_process
from portalops.system.logs import form
from portalops.system.programs import LocalRunner
from portalops.system.surroundings import LocalSurroundings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import date
    from pathlib import Path

    import typer

    from portalops.calendar.calendar import Calendar
    from portalops.config import Settings
    from portalops.jobs import Attempt
    from portalops.ledger.circumstances import Circumstances, Surroundings
    from portalops.ledger.claimant import MachineClaimant
    from portalops.ledger.ledger import KeptLedger
    from portalops.ledger.stores import Locks
    from portalops.model.heads import RecordedHead
    from portalops.model.record import Digest, Record
    from portalops.model.rulebook import Rulebook
    from portalops.model.runs import Job, Resource
    from portalops.registers.erasures import RecordedErasure

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
"""Where moments are shown before a configuration names the portal's zone."""


class Session:
    """One call of the command line, and all that it may use."""

    def __init__(
        self,
        invocation: Invocation,
        environment: Mapping[str, str],
        *,
        clock: Clock | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.invocation = invocation
        self.environment = environment
        self.clock: Clock = clock or SystemClock()
        self.surroundings: Surroundings = surroundings or LocalSurroundings(environment)
        self.runner: Runner = LocalRunner()
        self.warnings: list[Message] = []
        """What whoever called must learn, whatever the command itself returns."""
        self.passed_over: set[int] = set()
        """Records whose details cannot be read, which a list passed over."""
        self._erased: set[int] = set()
        """Records that a list passed over since their details were erased: that is no fault."""
        self.is_in_lines = False
        """It prints line after line; with --json each is an envelope of its own."""
        self.begins_beside_another = False
        """A ledger begins here although traces of another one are left: `doubt_beginning`."""
        self.clock_is_confirmed = False
        """A person vouches for the clock: `ledger confirm-clock`."""

    @cached_property
    def settings(self) -> Settings:
        """The configuration, read once."""
        return config.load(self.invocation.config, self.environment)

    @cached_property
    def rulebook(self) -> Rulebook:
        """The regulation, with the numbers that the configuration changes."""
        return load_rulebook(self.settings.rulebook.id, self.settings.rulebook.overrides)

    @cached_property
    def calendar(self) -> Calendar:
        """The working days."""
        return calendar.load(self.settings.calendar_file)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger without records that count for nothing, which `whole` has too; commands that record something use `writable_ledger`."""
        if "writable_ledger" in self.__dict__:
            return self.writable_ledger
        kept = self.kept(writable=False)
        ledger = HeedfulLedger.open(
            self.settings.state_folder, self.clock, create=False, kept=kept, heeds_move=heeds_move
        )
        return self._with_own_key(ledger)

    @property
    def reader(self) -> Ledger | LedgerNotBegun:
        """The ledger for what reads it; without any record before it has begun."""
        try:
            return self.ledger
        except LedgerMissing:
            return LedgerNotBegun()

    @property
    def recorder(self) -> Recorder:
        """What records single facts in the ledger; it is made if there is none yet."""
        return Recorder(self.writable_ledger, self.circumstances)

    @cached_property
    def writable_ledger(self) -> Ledger:
        """The ledger for appending; it is made if there is none yet."""
        close_to_others(self.settings.state_folder)  # what an earlier version, or an unpacked copy, left open
        ledger = HeedfulLedger.open(
            self.settings.state_folder, self.clock, create=True, kept=self._kept_for_writing, heeds_move=heeds_move
        )
        self._warn_of_root()
        self._with_own_key(ledger)
        if ledger.begun_beside_evidence:
            self.doubt_beginning(
                msg(
                    "a new ledger begins in {folder}, which holds evidence of another one: if that was lost, stop here, move"
                    " this folder away and restore the one of the newest backup set",
                    folder=str(self.settings.state_folder),
                )
            )
        self._require_kept_clock(ledger)
        ledger.claimant = self.claimant
        self.claimant.expect(
            has_writers=has_writers(ledger),
            is_shared=self.settings.ledger_store is not None,
            has_signing_key=self.settings.signing_key is not None,
        )
        return ledger

    def _warn_of_root(self) -> None:
        """Warn where root records into another account's folder: that account cannot open what root makes there."""
        folder = self.settings.state_folder
        is_there = self.surroundings.user_id() == 0 and folder.exists()  # not yet, of a team's new machine
        owner = folder.stat().st_uid if is_there else 0
        if owner == 0:
            return
        from portalops.system.accounts import account_name  # noqa: PLC0415  # for this mistake alone

        self.warnings.append(
            msg(
                "root writes to {folder}, which belongs to {account}: that account may no longer record. Run"
                " 'chown -R {account}: {folder}', and from now on 'sudo -u {account} portalops'",
                folder=str(folder),
                account=account_name(owner) or str(owner),
            )
        )

    @property
    def ledger_to_verify(self) -> Ledger:
        """The ledger for naming what is wrong with it, its newest line too."""
        ledger = Ledger.open_to_verify(self.settings.state_folder, self.clock, kept=self.kept(writable=False))
        ledger.find_time_order = find_time_order
        self._with_own_key(ledger)
        self.__dict__["ledger"] = ledger
        return ledger

    @property
    def ledger_to_mend(self) -> Ledger:
        """The ledger for appending a quarantine, also where its newest line stops every other command."""
        ledger = HeedfulLedger.open_to_mend(self.settings.state_folder, self.clock, kept=self._kept_for_writing)
        self._with_own_key(ledger)
        self._require_kept_clock(ledger)
        ledger.claimant = self.claimant
        self.__dict__["writable_ledger"] = ledger
        return ledger

    @cached_property
    def claimant(self) -> MachineClaimant:
        """What claims the records of this call, once `ledger enroll` has begun that on this machine."""
        from portalops.ledger.claimant import MachineClaimant  # noqa: PLC0415  # for commands that record, alone
        from portalops.ledger.claims import writer_name  # noqa: PLC0415  # as above

        settings, clock, environment = self.settings, self.clock, self.environment

        def reopened() -> Ledger:  # it holds no session, so that one is freed as soon as it ends
            kept = _kept(settings, environment, writable=True)
            again = Ledger(settings.state_folder, clock, writable=True, kept=kept)
            again.find_time_order = find_time_order
            again.read_own_key = partial(_read_own_key, settings.signing_key)
            return again

        return MachineClaimant(
            settings.state_folder,
            clock,
            writer_name(self.surroundings.host_name()),
            enrols=False,
            reopened=reopened,
        )

    def _with_own_key(self, ledger: Ledger) -> Ledger:
        ledger.read_own_key = partial(_read_own_key, self.settings.signing_key)
        return ledger

    def claim(self) -> None:
        """Claim what this call recorded; where that fails, the next call on this machine does it."""
        if "writable_ledger" not in self.__dict__:
            return
        try:
            self.writable_ledger.claim()
            if self.claimant.has_unclaimed:
                self.warnings.append(
                    msg(
                        "no writer claims what this machine records: its key is not enrolled, and within an hour these records meet no"
                        " duty. Run 'portalops ledger enroll' here"
                    )
                )
            self.warnings += self.claimant.said
        except SecretUnavailable as error:
            self.warnings.append(
                msg(
                    "nobody claims what this machine records: {cause}. {hint}",
                    cause=error.message,
                    hint=error.hint,
                )
            )
        except PortalOpsError as error:
            self.warnings.append(
                msg("what was recorded is not claimed yet; the next command tries again: {cause}", cause=error.message)
            )
        finally:
            self.claimant.close()

    def require_clock(self) -> None:
        """Make sure that the ledger takes records at what the clock shows, before work is done that could not be recorded.

        Raises:
            ClockWentBack: it is behind the newest record.
            ClockJumped: it is far ahead of it, and nothing vouches for it.
        """
        self.writable_ledger.require_clock()
        self._require_kept_clock(self.writable_ledger)

    def _require_kept_clock(self, ledger: Ledger) -> None:
        if not self.clock_is_confirmed:
            ledger.require_kept_clock(self._clock_is_kept)

    def _clock_is_kept(self) -> bool:
        from commands.cli.clock import is_kept  # noqa: PLC0415  # for a clock that is far ahead alone

        return is_kept(self.settings.state_folder, self.clock, self.surroundings)

    def pass_over(self, record: Record, cause: PortalOpsError) -> None:
        """Name a record that a list cannot show: what it says is unknown, and the others are shown."""
        if record.seq in self.passed_over or record.seq in self._erased:
            return
        erasure = self._erasure_of(record) if isinstance(cause, IntegrityError) else None
        if erasure is None:
            self.passed_over.add(record.seq)
        else:  # on purpose: no list is incomplete by it
            self._erased.add(record.seq)
        self.warnings.append(
            msg(
                "record {seq}, {kind}, is passed over: {cause}",
                seq=str(record.seq),
                kind=record.kind,
                cause=cause.message if erasure is None else erasure,
            )
        )

    def _erasure_of(self, record: Record) -> Message | None:
        """Say by which record details were erased; None if they were not."""
        from portalops.ledger.counted_erasures import say_erased, was_erased  # noqa: PLC0415  # few ledgers have any

        erasure = was_erased(self.ledger, record, self._erasures)
        return None if erasure is None else say_erased(erasure)

    @cached_property
    def _erasures(self) -> Mapping[Digest, RecordedErasure]:
        from portalops.ledger.counted_erasures import read_erasures  # noqa: PLC0415  # few ledgers have any

        return read_erasures(self.ledger)

    @property
    def exit_code_of_lists(self) -> ExitCode:
        """3 if a record was passed over, else 0."""
        return ExitCode.PARTIAL if self.passed_over else ExitCode.OK

    def doubt_beginning(self, said: Message) -> None:
        """Warn that a ledger begins although traces of another one are left; a run also tells it to people (`_notify_work`)."""
        self.warnings.append(said)
        self.begins_beside_another = True

    def kept(self, *, writable: bool) -> KeptLedger:
        """Return where the ledger is, as the configuration says."""
        return _kept(self.settings, self.environment, writable=writable)

    @cached_property
    def _kept_for_writing(self) -> KeptLedger:
        return self.kept(writable=True)

    @property
    def locks(self) -> Locks:
        """The locks of all who work on this ledger; it need not have begun."""
        return self._kept_for_writing.locks

    @cached_property
    def signing_key(self) -> SigningKey | None:
        """The key that signs heads; None if none is configured.

        Raises:
            SecretUnavailable: it is configured and cannot be had.
        """
        path = self.settings.signing_key
        return SigningKey.load(path) if path else None

    @property
    def next_key(self) -> SigningKey | None:
        """The key that a change which was interrupted has made; None if there is none.

        Raises:
            SecretUnavailable: it cannot be had.
        """
        from portalops.config.keys import next_key  # noqa: PLC0415  # for heads alone

        path = self.settings.signing_key
        return SigningKey.load(after) if path is not None and (after := next_key(path)).exists() else None

    def record_head(self) -> RecordedHead | None:
        """Sign what the ledger is now and record it; None if no signing key is configured.

        Raises:
            SecretUnavailable: the key cannot be had.
            LedgerError: the key is not the ledger's, or nothing can be recorded.
        """
        key = self.signing_key
        return record_head(self.writable_ledger, key, self.clock, successor=self.next_key) if key is not None else None

    @cached_property
    def circumstances(self) -> Circumstances:
        """Who runs this, where and how."""
        return collect(
            self.surroundings,
            configuration=self.settings.digest,
            arguments=("portalops", *self.invocation.arguments),
        )

    @property
    def holder(self) -> str:
        """Who holds a lock that this process takes: for the person who is refused."""
        return self.holder_for("")

    def holder_for(self, job: str) -> str:
        """Return who holds a lock that this process takes for a job."""
        return describe_process(self.clock.now(), job)

    def hold(self, resource: Resource, *, job: str = "", wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a resource of this state folder, on which one process at a time works.

        Args:
            resource: what is worked on.
            job: what for; it is told to whoever is refused meanwhile.
            wait_seconds: how long to wait for another process that holds it.

        Raises:
            Locked: another process holds it.
            FileUnwritable: the lock file cannot be made.
        """
        return self.locks.held(resource.value, holder=self.holder_for(job), wait_seconds=wait_seconds)

    def hold_to_read(self, resource: Resource) -> AbstractContextManager[None]:
        """Hold a resource for a block that changes nothing, also where the state folder cannot be written.

        Raises:
            Locked: another process holds it.
        """
        return self.locks.held_to_read(resource.value, holder=self.holder)

    def attempts(self, jobs: Sequence[Job] | None = None) -> tuple[Attempt, ...]:
        """What was tried lately of some jobs, of the configured ones without them: what is due is decided from it.

        There is no ledger before the first run, and so nothing was tried.
        """
        try:
            ledger = self.ledger
        except LedgerMissing:
            return ()
        return read_attempts(
            ledger, self.settings.jobs if jobs is None else jobs, self.clock.now(), self.zone_of_portal
        )

    @cached_property
    def progress(self) -> Progress:
        """How progress is shown to this reader."""
        return progress_for(
            quiet=self.invocation.quiet or self.invocation.json or sys.stderr is None or form() == "json",
            is_terminal=sys.stderr is not None and sys.stderr.isatty() and self.environment.get("TERM") != "dumb",
            clock=self.clock,
        )

    @property
    def zone_of_portal(self) -> ZoneInfo:
        """The portal's time zone; reads the configuration."""
        return ZoneInfo(self.settings.portal.timezone)

    @property
    def today(self) -> date:
        """The portal's local day."""
        return self.clock.now().astimezone(self.zone_of_portal).date()

    @property
    def zone(self) -> ZoneInfo:
        """Where moments are shown: the portal's zone, or the default one while no configuration was read."""
        return self.zone_of_portal if "settings" in self.__dict__ else ZoneInfo(DEFAULT_ZONE)


def _read_own_key(path: Path | None) -> str:
    """Return the public key that this machine signs heads with; empty where none is configured or can be read."""
    if path is None:
        return ""
    with suppress(SecretUnavailable):
        return SigningKey.load(path).public_key
    with suppress(OSError, ValueError):
        return public_key_of(path.with_name(f"{path.name}.pub").read_text(encoding="utf-8"))
    return ""


def _kept(settings: Settings, environment: Mapping[str, str], *, writable: bool) -> KeptLedger:
    if settings.ledger_store is None and settings.ledger_blobs is None:
        return kept_in(settings.state_folder, writable=writable)
    return kept_as_configured(settings, environment, writable=writable)


def open_session(ctx: typer.Context) -> Session:
    """Return the session that the entry made for this call."""
    return cast("Session", ctx.obj)
