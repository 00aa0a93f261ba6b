"""From records to tables, figures and a page. `published.csv` holds the figures of the paper that a user enters.

It imports `results`, which reads the files of cells, and `config`, which knows the keys that decide a computation: only these
can tell two cells of a table apart. `read` makes a `study.Study` of directories, and `write` all files of a report of it.
"""
