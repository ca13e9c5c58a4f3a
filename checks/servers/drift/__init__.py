"""What a host may drift in: one file a kind, found by its file's name; see `_kind.py`."""
