"""Jobs that fan out over several machines: their parts, the queue that hands them out, and the workers that do them.

A job is one run in the ledger, as on one machine. On a cluster (`[cluster]`) the parts that wait on others, such as asking each host, are
runs of their own, done by workers; the job's run waits for them and judges all of it in one place.
"""
