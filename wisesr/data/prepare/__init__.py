"""From an archive or a folder as downloaded to a dataset's folder: first looked at, then copied, whole or not at all."""
