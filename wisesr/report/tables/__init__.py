"""Tables of a study as text: Markdown, LaTeX, CSV, the terminal."""
