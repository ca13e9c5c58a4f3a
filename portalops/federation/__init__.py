"""Several sites, each with a ledger of its own: their bundles and heads, collected into one verified overview."""
