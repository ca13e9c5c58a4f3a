"""Count originals, copies and drafts against the content items (Article 10.1).

[[archive.collection]] tables say where they lie: queries of the content database, and folders of files.
"""
