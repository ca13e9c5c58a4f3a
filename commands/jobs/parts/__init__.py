"""The kinds of jobs that fan out on a cluster, one file a kind, named as the kind.

A module has `work(session, fan)`, which does the job with what `fan` brings of its parts, `do(session, wish)`, by which a worker does one of
them, and `Part`, the dataclass that it returns and the ledger holds. It may have `guard(session, wish, holder)`, a context that raises
`Locked` where too many parts are at the same thing: the part is then tried again a little later, and nothing is recorded of it.
"""
