"""Regulations as data: one TOML file a regulation, with its clauses, duties and numbers."""
