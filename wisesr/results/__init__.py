"""The record of a cell, and the store that finds and reads records. No torch."""
