"""What a grid cannot answer, and what would, with its cost: said before the first cell starts. No torch."""
