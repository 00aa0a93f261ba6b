"""Evidence, Grad-CAM and attention, against loops over positions, over every head and kind of backbone."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor

from tests.inference.explain_support import drawn_run, toy
from tests.support.images import noise
from tests.support.small import maps, randomised, small_head
from wisesr.config.options import options
from wisesr.errors import UserError
from wisesr.inference.explain import explain, most_probable, see
from wisesr.inference.explanation.attention import attention
from wisesr.inference.explanation.exact import exact
from wisesr.inference.explanation.grad_cam import grad_cam
from wisesr.results.explanation import read_explanations, write_explanations

needs_grad_cam = pytest.mark.skipif(sys.version_info < (3, 11), reason="TorchCAM needs Python 3.11")

LINEAR = (
    *("depthwise", "depthwise_average", "depthwise_nonneg", "flatten", "gap", "gap_dropout", "gap_scale", "gap_valid", "gwap"),
    *("wise", "wise_average", "wise_dropout", "wise_frozen", "wise_shuffled", "wise_unconstrained"),
)
PERMUTING = "wise_shuffled_images"
"""Another map of evidence for each image: it has Grad-CAM alone."""
WEIGHING = tuple(name for name in options("head") if name.startswith(("attention", "gwap_attention", "simpool")))
HEADS = tuple(sorted(options("head")))
BACKBONES = {
    "densenet, activations in place": ("backbone=densenet121",),
    "vit, tokens": ("backbone=timm", "backbone.name=vit", "backbone.model=test_vit"),
    "swin, channels last": ("backbone=swin_tiny",),
    "convnext": ("backbone=timm", "backbone.name=convnext", "backbone.model=test_convnext"),
    "torchvision": ("backbone=torchvision", "backbone.name=tv", "backbone.model=squeezenet1_1"),
    "frozen": ("backbone=timm", "backbone.name=toy", "backbone.model=test_resnet", "backbone.freeze=all"),
}


@needs_grad_cam
@pytest.mark.parametrize("head", HEADS)
def test_every_head_explains_itself(head: str) -> None:
    run = toy(head)
    found = explain(run, noise(1), run.class_names)
    said = run.predict(noise(1))[0]
    assert (found.predicted, found.probability) == (said.class_name, pytest.approx(said.probability, abs=1e-6))
    assert found.view.shape == (96, 96, 3)
    for index, maps_of in enumerate(found.classes):
        assert maps_of.class_name == run.class_names[index]
        assert maps_of.probability == pytest.approx(float(said.probabilities[index]), abs=1e-6)
        assert maps_of.grad_cam is not None and maps_of.grad_cam.shape == (3, 3) and (maps_of.grad_cam >= 0).all()
        assert (maps_of.evidence is not None) == (head in LINEAR)
        if maps_of.evidence is not None and maps_of.offset is not None:
            assert maps_of.evidence.sum() + maps_of.offset == pytest.approx(maps_of.logit, rel=1e-12, abs=1e-12)
            assert maps_of.logit == pytest.approx(maps_of.own_logit, rel=1e-4, abs=1e-5)
            assert maps_of.residual is not None and maps_of.residual < 1e-12
    assert (found.attention is not None) == (head in WEIGHING)


@pytest.mark.parametrize("head", LINEAR)
def test_evidence_is_what_a_position_takes_along(head: str) -> None:
    """Without the features of one position the logit is lower by its evidence: nothing of the formula is used."""
    run = toy(head)
    seen = see(run, noise(2))
    features, top = seen.features.double(), run.model.head.double()
    found = exact(top, seen.features, [2, 0])
    assert found is not None
    whole = top(features)[0, [2, 0]]
    for row, column in np.ndindex(3, 3):
        without = features.clone()
        without[..., row, column] = 0
        lost = whole - top(without)[0, [2, 0]]
        assert_allclose(found.maps[:, row, column].numpy(), lost.detach().numpy(), atol=1e-12)
    assert_allclose(found.offsets.numpy(), top(torch.zeros_like(features))[0, [2, 0]].detach().numpy(), atol=1e-12)


@needs_grad_cam
def test_a_head_that_permutes_each_image_says_of_a_picture_what_it_says_in_a_batch() -> None:
    run, pictures = toy(PERMUTING, "head.pre_pool=1"), [noise(seed) for seed in range(4)]
    together = run.predict(pictures)
    for picture, said in zip(pictures, together, strict=True):
        seen = see(run, picture)
        assert_allclose(seen.logits.softmax(0).numpy(), said.probabilities, atol=1e-6)
        assert explain(run, seen).predicted == said.class_name
    maps_of_one = see(run, pictures[0]).features
    views = [run.transform(picture)[None] for picture in pictures]
    apart = [run.logits_of(maps_of_one, view) for view in views]
    assert not torch.allclose(apart[0], apart[1], atol=1e-4), "one map under two pictures is permuted in two ways"
    with pytest.raises(UserError, match="no evidence per position, as it is not linear in the feature map or permutes each"):
        run.evidence(pictures[0])


@needs_grad_cam
@pytest.mark.parametrize("name", BACKBONES)
def test_every_kind_of_backbone(name: str) -> None:
    run = drawn_run(*BACKBONES[name], "head=wise")
    found = explain(run, noise(3))
    (its,) = found.classes
    assert its.evidence is not None and its.residual is not None and its.grad_cam is not None
    assert its.residual < 1e-12
    assert its.evidence.shape == its.grad_cam.shape == run.model.head.feature_shape[1:]
    assert np.isfinite(its.grad_cam).all()
    assert its.own_logit == pytest.approx(float(run.logits(run.transform(noise(3))[None]).max()), abs=1e-6)


@pytest.mark.parametrize(("precision", "apart"), [("bf16-mixed", 0.05), ("64-true", 1e-6), ("16-mixed", 1e-5)])
def test_every_precision_is_exact(precision: str, apart: float) -> None:
    """The sum is of the map as the run has it; what the run itself rounds is told beside it."""
    run = toy("depthwise", f"trainer.precision={precision}")
    (its,) = explain(run, noise(4)).classes
    assert its.residual is not None and its.residual < 1e-12
    assert its.own_logit == pytest.approx(float(run.logits(run.transform(noise(4))[None]).max()), abs=1e-6)
    assert its.logit == pytest.approx(its.own_logit, rel=apart)
    found = run.evidence(noise(4))
    assert (found.logit, found.class_name) == (its.logit, its.class_name)
    assert found.map.sum() + found.offset == pytest.approx(found.logit, rel=1e-12)


@needs_grad_cam
@pytest.mark.parametrize("head", HEADS)
def test_grad_cam_against_the_formula(head: str) -> None:
    """ReLU of the channels weighed by their mean gradient, each gradient by a difference of logits."""
    shape = (4, 3, 3)
    top, x = randomised(small_head(head, shape, 3)), maps(shape, batch=1).abs() + 0.1
    image = torch.randn(1, 3, 8, 8)
    found = grad_cam(top, x, image, [2, 1])
    step = 1e-6
    weights = torch.zeros(2, 4, dtype=torch.float64)
    for channel, row, column in np.ndindex(*shape):
        ends = []
        for sign in (1, -1):
            moved = x.clone()
            moved[0, channel, row, column] += sign * step
            with torch.no_grad():
                ends.append(top.of_images(moved, image)[0, [2, 1]])
        weights[:, channel] += (ends[0] - ends[1]) / (2 * step) / 9
    wanted = torch.einsum("kc,chw->khw", weights, x[0]).relu()
    assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6 * float(wanted.max()) + 1e-8)


@needs_grad_cam
def test_grad_cam_of_gap_is_its_evidence_above_zero() -> None:
    run = toy("gap")
    for its in explain(run, noise(5), run.class_names).classes:
        assert its.evidence is not None and its.grad_cam is not None
        assert_allclose(its.grad_cam, its.evidence.clip(min=0), rtol=1e-4, atol=1e-6)


def softmax(scores: list[float]) -> list[float]:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def positions(x: Tensor) -> list[Tensor]:
    """(channels,) each, row by row."""
    return [x[0, :, row, column] for row in range(x.shape[2]) for column in range(x.shape[3])]


def attention_weights(head: Any, x: Tensor) -> list[list[float]]:
    """The formula of `AttentionHead`, an attention head each, the average's own weight first."""
    pool, its = head.aggregation, positions(x)
    tokens = [sum(its) / len(its), *its]  # type: ignore[operator]
    z = [token + place for token, place in zip(tokens, pool.pos_embed, strict=True)]
    rows = []
    for number in range(pool.num_heads):
        piece = slice(number * pool.head_dim, (number + 1) * pool.head_dim)
        of_q, of_k = (slice(part * pool.in_features + piece.start, part * pool.in_features + piece.stop) for part in (0, 1))
        weight, bias = pool.qkv.weight, pool.qkv.bias
        q = weight[of_q] @ z[0] + bias[of_q]
        rows.append(softmax([float(q @ (weight[of_k] @ one + bias[of_k])) / math.sqrt(pool.head_dim) for one in z]))
    return rows


def simpool_weights(head: Any, x: Tensor) -> list[list[float]]:
    pool, its = head.aggregation, positions(x)
    mean = sum(its) / len(its)  # type: ignore[operator]
    rows = []
    for number in range(pool.num_heads):
        piece = slice(number * pool.head_dim, (number + 1) * pool.head_dim)
        q = (pool.q.weight @ mean)[piece]
        normed = [(one - one.mean()) / torch.sqrt(one.var(unbiased=False) + pool.norm.eps) for one in its]
        keys = [(pool.k.weight @ (one * pool.norm.weight + pool.norm.bias))[piece] for one in normed]
        rows.append(softmax([float(q @ key) / math.sqrt(pool.head_dim) for key in keys]))
    return rows


def gwap_weights(head: Any, x: Tensor) -> list[list[float]]:
    pool = head.aggregation
    m = [math.exp(1 / (1 + math.exp(-float(pool.kernel @ one + pool.bias)))) for one in positions(x)]
    return [[one / sum(m) for one in m]]


@pytest.mark.parametrize(
    ("name", "settings", "brute"),
    [
        ("attention", {"head_dim": 2}, attention_weights),
        ("attention", {"head_dim": 6}, attention_weights),
        ("simpool", {}, simpool_weights),
        ("simpool", {"num_heads": 3, "gamma": 1.25}, simpool_weights),
        ("gwap_attention", {}, gwap_weights),
    ],
)
def test_attention_against_a_loop(name: str, settings: dict[str, Any], brute: Any) -> None:
    shape = (6, 2, 3)
    head, x = randomised(small_head(name, shape, 3, **settings)), maps(shape, batch=1).abs()
    found = attention(head.aggregation, x)
    with torch.no_grad():
        wanted = np.array(brute(head, x))
    assert found is not None
    assert_allclose(found.weights.reshape(len(wanted), -1), wanted[:, -6:], rtol=1e-9)
    assert_allclose(found.rest, wanted[:, :-6].sum(axis=1), rtol=1e-9)
    assert_allclose(found.weights.sum(axis=(1, 2)) + found.rest, 1)
    assert_allclose(found.mean, wanted[:, -6:].mean(axis=0).reshape(2, 3))


@pytest.mark.parametrize("name", ["attention", "simpool", "gwap_attention"])
def test_attention_weights_make_the_heads_own_answer(name: str) -> None:
    """Timm's layers do not give their weights back: the mean of the values with these weights is what they answer."""
    shape = (6, 3, 3)
    head, x = randomised(small_head(name, shape, 3)), maps(shape, batch=1)
    found = attention(head.aggregation, x)
    assert found is not None
    tokens = x.flatten(2).transpose(1, 2)
    pool: Any = head.aggregation
    weights = torch.from_numpy(found.weights).flatten(1)
    if name == "attention":
        tokens = torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1) + pool.pos_embed
        values = pool.qkv(tokens)[..., 12:]
        weights = torch.cat([torch.from_numpy(found.rest)[:, None], weights], dim=1)
    else:
        values = pool.norm(tokens) if name == "simpool" else tokens
    answer = torch.einsum("hn,nhd->hd", weights, values[0].unflatten(1, (len(weights), -1))).flatten()
    assert_allclose(answer.detach().numpy(), pool(x)[0].detach().numpy(), rtol=1e-9)


def test_classes_that_are_named_and_the_most_probable() -> None:
    run = toy("gap")
    seen = see(run, noise(6))
    ranked = [run.class_names[index] for index in seen.logits.argsort(descending=True)]
    assert most_probable(run, seen, 2) == ranked[:2]
    assert most_probable(run, seen, 9) == ranked
    assert [its.class_name for its in explain(run, seen).classes] == ranked[:1]
    assert [its.class_name for its in explain(run, seen, ["class1", "class0", "class1"]).classes] == ["class1", "class0"]
    assert explain(run, seen, []).classes == ()
    with pytest.raises(UserError, match="no class of this run is called 'klass1'. Did you mean class1"):
        explain(run, seen, ["klass1"])


def test_the_view_is_what_the_model_saw() -> None:
    """Cropped: the left and right ends of a wide picture are not in it; padded: they are, between black."""
    wide = noise(7, (120, 60))
    wide.paste((255, 0, 0), (0, 0, 25, 60))
    cropped, padded = (explain(toy("gap", f"augment.resize={way}"), wide).view for way in ("crop", "pad"))
    red = np.array([255, 0, 0])
    assert np.abs(cropped.astype(int) - red).sum(axis=2).min() > 60
    assert np.abs(padded[30:66, :15].astype(int) - red).max() < 3
    assert padded[:20].max() == 0


def test_a_head_whose_evidence_does_not_add_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    run = toy("gap")
    own = type(run.model.head).evidence
    monkeypatch.setattr(type(run.model.head), "evidence", lambda self, features: 1.01 * own(self, features))
    with pytest.raises(UserError, match="must sum, with its offset, to the logit, and misses it by"):
        explain(run, noise(8))


def test_without_torchcam_only_what_needs_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.inference.explain.has_grad_cam", lambda: False)
    monkeypatch.setattr("wisesr.inference.explanation.grad_cam.has_grad_cam", lambda: False)
    assert explain(toy("wise"), noise(9)).classes[0].grad_cam is None
    assert explain(toy("simpool"), noise(9)).attention is not None
    with pytest.raises(UserError, match=r"the head max has no evidence per position, .*pip install 'wisesr\[explain\]'"):
        explain(toy("max"), noise(9))
    with pytest.raises(UserError, match=r"pip install 'wisesr\[explain\]'"):
        grad_cam(small_head("gap", (2, 2, 2), 2), maps((2, 2, 2), 1), torch.zeros(1, 3, 8, 8), [0])


@needs_grad_cam
def test_explanations_as_a_file(tmp_path: Any) -> None:
    made = {f"{head} é.jpg": explain(toy(head), noise(10), ["class1", "class2"]) for head in ("wise", "simpool", "max")}
    path = tmp_path / "explanations.npz"
    write_explanations(path, made)
    read = read_explanations(path)
    assert read is not None and list(read) == list(made)
    for name, one in made.items():
        its = read[name]
        assert (its.predicted, its.probability) == (one.predicted, one.probability)
        assert np.array_equal(its.view, one.view)
        assert (its.attention is None) == (one.attention is None)
        for a, b in zip(its.classes, one.classes, strict=True):
            assert (a.class_name, a.logit, a.offset, a.residual) == (b.class_name, b.logit, b.offset, b.residual)
            for part in ("evidence", "grad_cam"):
                assert (getattr(a, part) is None) == (getattr(b, part) is None)
                if getattr(a, part) is not None:
                    assert np.array_equal(getattr(a, part), getattr(b, part))
    assert read_explanations(tmp_path / "nothing.npz") is None
    path.write_bytes(b"PK damaged")
    assert read_explanations(path) is None
