"""From records to tables; `published.csv` holds the figures that a user reads off the paper."""
