"""Where the cells on disk stand, also while they run; what tells two of them apart."""
