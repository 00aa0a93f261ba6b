"""Classification heads, one concept a file. Contract: `wisesr.models.heads.base.Head`."""
