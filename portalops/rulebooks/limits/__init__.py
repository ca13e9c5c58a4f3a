"""Time limits of other regulations, as data: how soon after its document an item is to be published. One file a rule set."""
