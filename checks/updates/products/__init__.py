"""Ready queries for content systems, one file a product. A module of this folder is a `product` that a source of the kind
`sql` may name instead of a `query`.

A product has `Settings`, its keys, whose `statement()` is `query(settings, dialect)`: the one SELECT that lists what is published and
nothing else, with the columns that `checks.updates.sources.sql` describes. Nothing but checked names and words goes into it.

What all have in common: what was published and is hidden, expired or thrown away now is not listed, because it is not published;
"now" is the database server's. Times come in UTC. No row comes twice, whatever number of categories or languages it has.
"""
