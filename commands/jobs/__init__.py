"""What joins the wings to the ledger: the kinds of jobs, the runner that records them, and what several commands do alike."""
