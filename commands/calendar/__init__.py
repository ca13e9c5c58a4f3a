"""Working days of Vietnam, each with the document behind it."""
