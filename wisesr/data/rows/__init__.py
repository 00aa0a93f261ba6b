"""Rows of bytes that were computed from images, kept on this machine and found by the content of the image. No torch."""
