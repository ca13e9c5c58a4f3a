"""Keep the register of changes: requested, notified to the Department, approved by the Committee, made, closed (Article 12.2).

Every step is a record of the ledger, and is allowed only from where the register says that the change stands.
"""
