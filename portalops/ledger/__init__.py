"""The append-only chain of records, the blobs they name, and the pass that finds what was changed."""
