"""Keep the register of incidents: what happened, when, whose access it was, the reports, the cause and the lessons (Article 12.5).

Every step is a record of the ledger. A report counts as in time by when it was recorded, its paper kept by digest.
"""
