"""What `wisesr.inference.evaluate` is made of: pictures, figures, the record beside them, files."""
