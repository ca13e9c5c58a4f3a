"""Whether this machine records what is expected: on a ledger with writers, only one that may record plans does."""

from __future__ import annotations

from dataclasses import replace

from commands.cli.session import Session
from portalops import bodies
from portalops.errors import PortalOpsError, SecretUnavailable
from portalops.ledger.heeded import find_writer, read_ownership
from portalops.ledger.ledger import Ledger
from portalops.ledger.runs import newest_plan
from portalops.model.message import Message, msg
from portalops.model.runs import Plan
from portalops.model.writers import Authority, Writer
from portalops.registers.plans import PLAN


def may_plan(session: Session, ledger: Ledger) -> bool:
    """Say whether a plan by this machine counts: what it records without authority is a fault of the ledger.

    On a ledger of its own, a machine that is not enrolled may: `ledger enroll` gives it all authority there, and claims what it recorded.
    On a team's, nobody knows yet what it will be given.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    if read_ownership(ledger).begin is None:
        return True
    own = _own_writer(session, ledger)
    if own is None or own.ended_seq is not None:
        return session.settings.ledger_store is None
    return own.authority is Authority.ALL


def describe_unplanned(session: Session, ledger: Ledger, plan: Plan) -> Message | None:
    """Say that this machine expects something else than the newest plan, which it may not change; None if it expects the same.

    Machines of a team have configurations of their own, with an account each, so only what is expected is compared.
    """
    newest = newest_plan(ledger)
    try:
        held = bodies.required_part(ledger.blob(newest.body), PLAN, Plan) if newest is not None else None
    except PortalOpsError:  # `ledger verify` names it; a machine that may plan records it anew
        held = None
    if held is not None and replace(held, configuration=plan.configuration) == plan:
        return None
    own = _own_writer(session, ledger)
    return msg(
        "{name} may not record plans, so the jobs that are planned on this machine are not recorded as expected. Runs are judged by the"
        " newest plan of a machine that may. Run 'portalops run' on such a machine, with the same jobs. 'portalops ledger verify' names the writers",
        name=own.name if own is not None else session.claimant.name,
    )


def _own_writer(session: Session, ledger: Ledger) -> Writer | None:
    try:
        key = session.claimant.key
    except SecretUnavailable:  # the command's end says so, with the cure
        return None
    return find_writer(ledger, key.public_key) if key is not None else None
