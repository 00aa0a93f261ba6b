"""The statistics of a report, as pure functions of numbers; one idea a file."""
