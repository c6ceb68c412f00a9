"""A device that is not the CPU, for computers without a GPU: it computes on the CPU and refuses tensors that lie there.

PyTorch lets a backend be written in Python. A tensor on this one holds another tensor on the CPU; whatever is computed
with it and with a tensor that lies on the CPU fails as it does on a GPU.
"""

from contextlib import contextmanager
from functools import cache, partial

import torch
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

NAME = "elsewhere"
_ACROSS = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class Elsewhere(torch.Tensor):
    @staticmethod
    def __new__(cls, raw):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            raw.shape,
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            layout=raw.layout,
            device=f"{NAME}:0",
        )

    def __init__(self, raw):
        self.raw = raw

    def __repr__(self):
        return f"Elsewhere({self.raw})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _computed(func, args, kwargs or {})


def _is_there(device):
    return device is not None and torch.device(device).type == NAME


def _computed(func, args, kwargs):
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
    there = [one for one in tensors if isinstance(one, Elsewhere)]
    if there and func not in _ACROSS and any(not isinstance(one, Elsewhere) and one.ndim for one in tensors):
        raise RuntimeError(f"Expected all tensors to be on the same device, but found {NAME}:0 and cpu ({func})")
    raw_args, raw_kwargs = tree_map(lambda one: one.raw if isinstance(one, Elsewhere) else one, (args, kwargs))
    device = kwargs.get("device")
    if device is not None:
        raw_kwargs["device"] = "cpu"
    with _disable_current_modes():
        out = func(*raw_args, **raw_kwargs)
    if func is torch.ops.aten.copy_.default:
        return args[0]
    if not (_is_there(device) if device is not None else there):
        return out
    same = {id(one.raw): one for one in there}

    def wrapped(one):
        if not isinstance(one, torch.Tensor) or isinstance(one, Elsewhere):
            return one
        return same[id(one)] if id(one) in same else Elsewhere(one)

    return tree_map(wrapped, out)


def _made(func, *args, **kwargs):
    with _disable_current_modes():
        return Elsewhere(func(*args, **{**kwargs, "device": "cpu"}))


def _copied_from(source, target, non_blocking=False):
    with _disable_current_modes():
        raw_source, raw_target = (one.raw if isinstance(one, Elsewhere) else one for one in (source, target))
        raw_target.copy_(raw_source)
    return target


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        mine = any(isinstance(one, Elsewhere) for one in tree_leaves((args, kwargs)))
        return _computed(func, args, kwargs) if mine or _is_there(kwargs.get("device")) else func(*args, **kwargs)


class _Backend(backend_registration._DummyBackendModule):
    def get_amp_supported_dtype(self):
        return [torch.bfloat16, torch.float16]


@cache
def _registered():
    """Once in a process; the library lives as long."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Backend())
    library = torch.library.Library("_", "IMPL")
    factories = torch.library.Library(
        "aten", "IMPL"
    )  # for what PyTorch makes below the mode, as when gradients are computed
    factories.impl("empty_strided", partial(_made, torch.ops.aten.empty_strided.default), "PrivateUse1")
    factories.impl("empty.memory_format", partial(_made, torch.ops.aten.empty.memory_format), "PrivateUse1")
    factories.impl("_copy_from", _copied_from, "PrivateUse1")
    library.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")  # it computes in float32 all the same
    return library, factories


@contextmanager
def elsewhere():
    """Let the device exist inside the block; yields its name."""
    _registered()
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with _Mode(), torch.autograd.set_multithreading_enabled(False):  # other threads know nothing of the mode
            yield NAME
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
