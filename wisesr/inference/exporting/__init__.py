"""A run as one file that needs no wisesr: ONNX or a program of torch.export, checked against the run, with a model card."""
