"""What is asked of a host: one file a probe, with its exact read-only command, its limits and its parser."""
