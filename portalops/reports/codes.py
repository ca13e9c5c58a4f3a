"""What is compared letter by letter, and so shown in a typewriter face: digests, keys, names of sets, codes of heads."""

from __future__ import annotations

import re

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{31,}")
"""Long identifiers such as digests, keys, runs and set names; they may break anywhere."""
HEAD_CODE = re.compile(r"[0-9]+(?:-[0-9a-f]{4}){5}")
"""Head codes are compared by eye, and so never broken; see `portalops.ledger.heads.code_of`."""
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{2,11}")
"""A short id, such as CH-2026-001: broken at its hyphens it would be read as several."""
