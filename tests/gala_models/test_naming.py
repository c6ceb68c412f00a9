"""Checkpoints with other people's names, against a transcription of the TensorFlow network in numpy."""

from itertools import count

import numpy as np
import pytest
import torch

from rapidvision.errors import InputError
from rapidvision.gala_models.layers.architecture import PRESETS, Architecture
from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.layers.resnet import Family, build
from rapidvision.gala_models.registries import ARCHITECTURES
from rapidvision.gala_models.weights.load import load_weights
from rapidvision.gala_models.weights.naming import tensorflow_names, timm_name
from rapidvision.plugins.source import part_of


@pytest.fixture
def small(monkeypatch):
    """A bottleneck network of the authors' form that is quick to compute: two blocks in the third stage."""
    family = Family(bottleneck=True, n_blocks=(1, 1, 2, 1), width=4)
    monkeypatch.setattr(ARCHITECTURES, "_parts", {"small": part_of(family)})
    return Architecture(
        family="small",
        attention="gala",
        gala=PRESETS["gala_tpu"],
        preactivation=True,
        stem_pool="tensorflow",
        n_classes=5,
    )


class Graph:
    """The authors' network as TensorFlow builds it: NHWC, variables named and numbered in building order.

    On the first pass it makes its variables; the same pass computes with them.
    """

    def __init__(self, seed):
        self.rng, self.variables = np.random.default_rng(seed), {}
        self.maps = []

    def variable(self, name, shape):
        if name not in self.variables:
            fan_in = max(1, int(np.prod(shape[:-1])))
            value = self.rng.standard_normal(shape) / np.sqrt(fan_in)
            self.variables[name] = np.abs(value) + 0.5 if name.endswith("variance") else value
        return self.variables[name]

    def numbered(self, scope):
        number = next(self.numbers[scope])
        return scope if number == 0 else f"{scope}_{number}"

    def convolve(self, x, n_out, size, stride, *, name=None, bias=False):
        scope = name or self.numbered("conv2d")
        kernel = self.variable(f"{scope}/kernel", (size, size, x.shape[3], n_out))
        before = (size - 1) // 2
        padded = np.pad(x, ((0, 0), (before, size - 1 - before), (before, size - 1 - before), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]
        out = np.einsum("bhwcij,ijco->bhwo", windows, kernel)
        return out + self.variable(f"{scope}/bias", (n_out,)) if bias else out

    def norm_relu(self, x):
        scope, n = self.numbered("batch_normalization"), x.shape[3]
        gamma, beta, mean, var = (
            self.variable(f"{scope}/{part}", (n,)) for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return np.maximum((x - mean) / np.sqrt(var + 1e-5) * gamma + beta, 0)

    def dense(self, x, n_out, scope, weight="weights", bias="biases"):
        return x @ self.variable(f"{scope}/{weight}", (x.shape[1], n_out)) + self.variable(f"{scope}/{bias}", (n_out,))

    def gala(self, x, name):
        n, narrow = x.shape[3], x.shape[3] // 4
        z = np.maximum(self.convolve(x, narrow, 1, 1, name=f"{name}_ATTENTION_intermediate", bias=True), 0)
        z = np.maximum(self.convolve(z, narrow, 5, 1, name=f"{name}_ATTENTION_intermediate_0", bias=True), 0)
        s = self.convolve(z, 1, 1, 1, name=f"{name}_ATTENTION_output", bias=True)
        g = np.maximum(self.dense(x.mean((1, 2)), narrow, f"{name}_ATTENTION_intermediate"), 0)
        g = np.maximum(self.dense(g, n, f"{name}_ATTENTION_output"), 0)[:, None, None]
        alpha, beta = (self.variable(f"{word}_{name}", (1, 1, 1, n)) for word in ("alpha", "beta"))
        a = 1 / (1 + np.exp(-(alpha * (s + g) + beta * (s * g))))
        self.maps.append(np.sqrt((a**2).sum(3)))
        return x * a

    def __call__(self, x, n_blocks=(1, 1, 2, 1), width=4, n_classes=5):
        self.numbers, self.maps = {"conv2d": count(), "batch_normalization": count()}, []
        x = self.convolve(x, width, 7, 2)
        x = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
        x = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2].max((4, 5))
        for stage, n in enumerate(n_blocks, 1):
            for block in range(n):
                stride = 2 if stage > 1 and block == 0 else 1
                filters = width * 2 ** (stage - 1)
                if stage == 3:
                    x = self.gala(x, f"block_layer{stage}_{block}")
                shortcut, x = x, self.norm_relu(x)
                if block == 0:
                    shortcut = self.convolve(x, 4 * filters, 1, stride)
                x = self.norm_relu(self.convolve(x, filters, 1, 1))
                x = self.norm_relu(self.convolve(x, filters, 3, stride))
                x = self.convolve(x, 4 * filters, 1, 1) + shortcut
        x = self.norm_relu(x).mean((1, 2))
        return self.dense(x, n_classes, "dense", "kernel", "bias")


def test_a_tensorflow_checkpoint_gives_the_scores_and_maps_of_the_tensorflow_network(small, tmp_path):
    graph, x = Graph(seed=3), np.random.default_rng(1).standard_normal((2, 64, 64, 3))
    expected = graph(x)
    slots = {f"{name}/Momentum": np.zeros_like(value) for name, value in graph.variables.items()}
    np.savez(tmp_path / "gala.npz", global_step=np.int64(200_000), **graph.variables, **slots)
    model = build(small).double()
    report = load_weights(model, tmp_path / "gala.npz")
    assert not report.unexpected
    assert all("num_batches_tracked" in name for name in report.missing)
    model.eval()
    with torch.inference_mode(), attention_maps(model) as maps:
        scores = model(torch.from_numpy(x).permute(0, 3, 1, 2))
        found = [one[:, 0].numpy() for one in maps.values()]
    # The variables are float32 in a checkpoint, and so they are in the network.
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-4, atol=1e-5)
    for one, other in zip(found, graph.maps, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_a_variable_that_is_missing_or_unknown_is_named(small, tmp_path):
    graph = Graph(seed=3)
    graph(np.zeros((1, 64, 64, 3)))
    variables = dict(graph.variables)
    variables["block_layer3_0_ATTENTION_output_squash_/weights"] = variables.pop("alpha_block_layer3_0")
    np.savez(tmp_path / "gala.npz", **variables)
    words = r"missing \(layer3.0.gala.alpha.*1 unexpected \(block_layer3_0_ATTENTION_output_squash_/weights\)"
    with pytest.raises(InputError, match=words):
        load_weights(build(small), tmp_path / "gala.npz")


def test_every_parameter_of_the_authors_network_has_one_tensorflow_variable():
    with torch.device("meta"):
        model = build("gala-tpu-resnet50")
    names = tensorflow_names(model)
    own = {name for name in model.state_dict() if "num_batches_tracked" not in name}
    assert set(names) == own
    assert len(set(names.values())) == len(own)


def test_a_checkpoint_of_timms_preactivation_network_loads(tmp_path):
    model = build(Architecture(family="compact", preactivation=True, n_classes=8), seed=4)
    theirs = {timm_name(name): value for name, value in model.state_dict().items()}
    assert {"stem.conv.weight", "stages.1.blocks.0.downsample.conv.weight", "norm.running_var"} <= set(theirs)
    theirs["head.fc.weight"] = theirs["head.fc.weight"][:, :, None, None]
    torch.save(theirs, tmp_path / "v2.pth")
    other = build(model.architecture, seed=5)
    report = load_weights(other, tmp_path / "v2.pth")
    assert not report.missing
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_names_of_timms_preactivation_network_are_the_published_ones():
    names = [timm_name(name) for name in build(Architecture(family="resnet18", preactivation=True)).state_dict()]
    assert {"stages.0.blocks.1.norm2.weight", "stages.3.blocks.0.downsample.conv.weight", "head.fc.bias"} <= set(names)
    assert len(set(names)) == len(names)


def test_a_preactivation_checkpoint_for_another_network_says_which_to_choose(tmp_path):
    torch.save({"stem.conv.weight": torch.zeros(1)}, tmp_path / "v2.pth")
    with pytest.raises(InputError, match='timm\'s names of a pre-activation network; choose .* "resnetv2-50"'):
        load_weights(build("compact-resnet"), tmp_path / "v2.pth")


@pytest.mark.parametrize("content", ["text", "objects", "array"])
def test_an_npz_that_holds_no_plain_arrays_is_refused(tmp_path, content):
    path = tmp_path / "w.npz"
    if content == "text":
        path.write_bytes(b"no zip")
    elif content == "objects":
        np.savez(path, a=np.array([{"a": 1}], dtype=object))
    else:
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="not an npz of plain arrays"):
        load_weights(build("compact-resnet"), path)
