"""Before the first cell starts: every model built without its memory, data, weights and disk looked at, all errors at once."""
