"""Cells of a sweep: from composed configurations to processes, a progress bar and a table. No torch."""
