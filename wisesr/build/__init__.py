"""The only place where configuration becomes objects; below it, plain typed arguments."""
