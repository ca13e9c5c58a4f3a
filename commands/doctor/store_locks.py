"""The trial of an object store's lock, for media and anchors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from commands.cli.kinds import typed
from commands.doctor.diagnosis import DiagnosticLine, DoctorContext, bad, good, unknown
from portalops.errors import PortalOpsError
from portalops.model.message import Message, msg
from portalops.system.s3 import LOCK_HINT, Store, StoreSettings, open_client, refusals
from portalops.system.s3_lock import try_lock

if TYPE_CHECKING:
    from portalops.config import KindTable

COMPLIANCE = "COMPLIANCE"
FOLDER = "probe/doctor-"
"""Behind the table's prefix; what begins with `probe/` is removed by the medium too when its lock has ended."""


class _Refused(Exception):
    """The store did not take the object."""

    def __init__(self, cause: Message, hint: Message) -> None:
        super().__init__(str(cause))
        self.cause, self.hint = cause, hint


def lock_seen(look: DoctorContext, table: KindTable) -> Iterator[DiagnosticLine]:
    """Try whether a store refuses to delete what is locked; the mode is the table's `lock`, or COMPLIANCE where it has none.

    Raises:
        ConfigurationError: the table does not fit its kind.
    """
    settings = cast("StoreSettings", typed(table))
    mode = str(getattr(settings, "lock", COMPLIANCE))
    about = f"{table.id} lock"
    try:
        with refusals(_Refused):
            client = open_client(Store.of(settings, look.session.environment))
            trial = try_lock(client, bucket=settings.bucket, prefix=f"{settings.prefix}{FOLDER}", mode=mode)
    except PortalOpsError as error:
        yield unknown(about, msg("{id}: its lock was not tried: {cause}", id=table.id, cause=error.message), error.hint)
        return
    except _Refused as error:
        if error.hint is LOCK_HINT:
            yield bad(about, msg("{id}: it locks nothing: {cause}", id=table.id, cause=error.cause), error.hint)
        else:
            yield unknown(
                about, msg("{id}: its lock was not tried: {cause}", id=table.id, cause=error.cause), error.hint
            )
        return
    if trial.locked_until is not None and trial.may_delete:
        yield good(
            about,
            msg(
                "{id}: the lock holds: deleting {key} was refused with {answer}; that object stays until {until}",
                id=table.id,
                key=trial.key,
                answer=trial.answer,
                until=trial.locked_until,
            ),
        )
    elif trial.locked_until is not None:
        yield good(
            about,
            msg(
                "{id}: deleting {key} was refused with {answer}, as this key may delete nothing there; the store calls it locked until"
                " {until}",
                id=table.id,
                key=trial.key,
                answer=trial.answer,
                until=trial.locked_until,
            ),
        )
    elif trial.was_deleted:
        yield bad(
            about,
            msg(
                "{id}: the lock does not hold: deleting an object in mode {mode} was answered with {answer}",
                id=table.id,
                mode=mode,
                answer=trial.answer,
            ),
            LOCK_HINT,
        )
    else:
        yield bad(
            about,
            msg(
                "{id}: it took an object in mode {mode} and locked nothing; it answered {answer}",
                id=table.id,
                mode=mode,
                answer=trial.answer,
            ),
            LOCK_HINT,
        )
