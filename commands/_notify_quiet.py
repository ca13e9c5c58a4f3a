"""Whether a run that did nothing has anything to tell. Timers knock often, so that here only one small file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands._session import Session


def after_idle_run(session: Session) -> None:
    """Send what waits and tell what is due, after a run that found nothing to do; it never raises."""
    if not session.settings.channels or _is_quiet(session):
        return
    from commands._notify_work import after_run  # noqa: PLC0415  # start-up time

    after_run(session, (), None)


def _is_quiet(session: Session) -> bool:
    try:
        text = (session.settings.state_folder / "notify" / "quiet").read_text(encoding="ascii")
        first, last = (int(part) for part in text.split())
    except (OSError, ValueError):
        return False
    return first <= session.clock.now().timestamp() < last
