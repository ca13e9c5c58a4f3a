"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

OptionalFile = Optional[Path]  # noqa: UP045  # Typer reads it at run time
