"""What `wisesr.inference.predict` is made of: which files there are, and rows of what is said of them."""
