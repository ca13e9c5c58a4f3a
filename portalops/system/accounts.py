"""Names of this machine's accounts."""

from __future__ import annotations

import pwd


def account_name(user_id: int) -> str:
    """Return the name of an account, such as `root` for 0; empty if there is none of that number."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return ""
