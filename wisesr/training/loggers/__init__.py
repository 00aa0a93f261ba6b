"""Where figures go beside the record. Contract: `wisesr.training.loggers.base.RunLogger`."""
