"""What a study was made to find out: claims that were declared before, and what its cells say of each."""
