"""Epochs at which subsets of a dataset's classes are trained for equally many steps, for `experiment=classes`. No torch.

Half of the classes have half of the images or so, and an epoch of them half of the steps: trained for equally many epochs,
fewer classes are fewer steps, too. Twice the epochs make up for it, as far as classes are alike in size.
"""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf


def equal_steps(epochs: object, of: object, _root_: DictConfig) -> object:
    """`${equal_steps:200,67}`: as many epochs of `dataset.classes` as take about the steps of 200 epochs of 67 classes.

    Args:
        epochs: of all classes.
        of: how many they are.
        _root_: the configuration.

    What is no whole number above 0 is for the check of the configuration to tell: then it is `epochs`.
    """
    numbers = [epochs, of, OmegaConf.select(_root_, "dataset.classes")]
    counts = [value for value in numbers if isinstance(value, int) and not isinstance(value, bool) and value > 0]
    if len(counts) < len(numbers):
        return epochs
    return max(1, round(counts[0] * counts[1] / counts[2]))
