"""What to do with a trained cell: load, evaluate, predict, explain, export. It reads the cell's directory and nothing else."""
