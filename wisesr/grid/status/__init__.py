"""What `wisesr status` shows of cells on disk, also while they run: the matrix, what is left, and what differs between two."""
