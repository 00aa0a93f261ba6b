"""Offline W&B runs to the server, and a study's workspace there. No torch: the command must answer at once."""
