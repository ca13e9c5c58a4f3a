"""portalops beside the stock tools on the same work: `python -m bench`, one file a measurement."""
