"""Keep the register of administrative access: who holds which credential, where it is kept, and when it must be changed.

Never the secret itself. What a person who leaves must return is listed, and the register is compared with what hosts show.
"""

from __future__ import annotations

import typer

from commands import _credential_audit, _credential_look, _credential_record, _credential_views
from commands._credentials import STRICT

app = typer.Typer(no_args_is_help=True)

app.command("add", help=_credential_record.HELP_ADD, context_settings=STRICT)(_credential_record.add)
app.command("rotate", help=_credential_record.HELP_ROTATE, context_settings=STRICT)(_credential_record.rotate)
app.command("hand-over", help=_credential_record.HELP_HAND_OVER, context_settings=STRICT)(_credential_record.hand_over)
app.command("return", help=_credential_record.HELP_RETURN, context_settings=STRICT)(_credential_record.return_)
app.command("leave", help=_credential_record.HELP_LEAVE, context_settings=STRICT)(_credential_record.leave)
app.command("correct", help=_credential_record.HELP_CORRECT, context_settings=STRICT)(_credential_record.correct)
app.command("list", help=_credential_views.HELP_LIST, context_settings=STRICT)(_credential_views.list_)
app.command("show", help=_credential_views.HELP_SHOW, context_settings=STRICT)(_credential_views.show)
app.command("look", help=_credential_look.HELP, context_settings=STRICT)(_credential_look.look)
app.command("audit", help=_credential_audit.HELP, context_settings=STRICT)(_credential_audit.audit)
