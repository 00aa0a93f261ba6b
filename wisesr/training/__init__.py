"""Training one model: the LightningModule, the constraint, schedules, what happens at the end of an epoch."""
