"""The configuration of a cell: composed, checked, named, written. No torch."""
