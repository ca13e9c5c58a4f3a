"""Check, show and describe the configuration."""
