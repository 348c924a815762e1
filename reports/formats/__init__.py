"""The writers of published tables. Pure; each takes a PublishedTable, its layout and a language, nothing else."""
