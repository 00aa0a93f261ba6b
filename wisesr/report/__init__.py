"""From records to tables, figures and a page. `published.csv` holds the figures that a user reads off the paper.

Beside `results` it imports `config` and `axes`: which keys decide a computation, and so can be axes, is said there once.
"""
