"""Sign, verify and show the ledger.

The ledger is where every other verdict comes from. Each verb lives in a module of its own, `_ledger_<verb>.py`.
"""

from __future__ import annotations

import typer

from commands import (
    _ledger_anchor,
    _ledger_erase,
    _ledger_export,
    _ledger_extend,
    _ledger_federate,
    _ledger_head,
    _ledger_move,
    _ledger_prepare,
    _ledger_rotate_key,
    _ledger_show,
    _ledger_sign_off,
    _ledger_verify,
)

app = typer.Typer()

app.command(help=_ledger_head.HELP)(_ledger_head.head)
app.command(help=_ledger_verify.HELP)(_ledger_verify.verify)
app.command(help=_ledger_show.HELP)(_ledger_show.show)
app.command(help=_ledger_anchor.HELP)(_ledger_anchor.anchor)
app.command(help=_ledger_export.HELP)(_ledger_export.export)
app.command(help=_ledger_extend.HELP)(_ledger_extend.extend)
app.command(help=_ledger_federate.HELP)(_ledger_federate.federate)
app.command(help=_ledger_rotate_key.HELP)(_ledger_rotate_key.rotate_key)
app.command(help=_ledger_sign_off.HELP)(_ledger_sign_off.sign_off)
app.command(help=_ledger_erase.HELP)(_ledger_erase.erase)
app.command("prepare", help=_ledger_prepare.HELP)(_ledger_prepare.prepare)
app.command("move", help=_ledger_move.HELP)(_ledger_move.move_ledger)
