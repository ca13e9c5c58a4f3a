"""Where sites' bundles come from: one file a kind."""
