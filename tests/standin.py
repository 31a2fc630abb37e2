"""A stand-in for an accelerator: tensors that live on ``sim:0``, computed by the CPU, refused what a real device refuses.

PyTorch's own hook for new devices carries it, so ``.device``, ``.to``, autograd and autocast are PyTorch's. Refused are:
tensors of two devices in one operation (numbers without axes apart), NumPy, a CPU's generator, and float64 where
asked, as on MPS. Counted are transfers in both directions and synchronisations, where the CPU waits for a value.
It knows nothing of kernels and speed.
"""

import contextlib
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "sim"
DEVICE = f"{NAME}:0"
CPU = torch.device("cpu")
aten = torch.ops.aten

COPIES = {"_to_copy", "copy_", "_copy_from"}
WAITS = {"_local_scalar_dense", "nonzero", "equal", "masked_select", "_unique2", "unique_dim", "unique_consecutive",
         "is_nonzero", "repeat_interleave"}  # fmt: skip
# operations that take no number of another device, even one without axes
STRICT = {
    "cat",
    "stack",
    "mm",
    "bmm",
    "addmm",
    "baddbmm",
    "dot",
    "embedding",
    "equal",
    "gather",
    "scatter",
    "index_select",
}


# views that only promise to conjugate or negate: below Python's dispatch nobody would keep the promise
EAGER = {"_conj": aten._conj_physical.default, "_neg_view": aten.neg.default}


class DeviceError(RuntimeError):
    """What a real device would refuse."""


@dataclass
class Ledger:
    """What was counted: operations, transfers to and from the device, waits; places: where the last two happened."""

    counts: Counter = field(default_factory=Counter)
    places: Counter = field(default_factory=Counter)
    float64: bool = True

    def note(self, kind: str) -> None:
        """Count one, and a transfer's or a wait's line of the library or of a chapter."""
        self.counts[kind] += 1
        if kind != "operations":
            frames = [
                f for f in traceback.extract_stack(limit=30) if "course_lib" in f.filename or "source" in f.filename
            ]
            if frames:
                self.places[f"{kind}: {frames[-1].filename.split('course_lib/')[-1]}:{frames[-1].lineno}"] += 1


ledger = Ledger()


class DeviceTensor(torch.Tensor):
    """A tensor on the stand-in; ``raw`` holds its numbers on the CPU, views of one another where these are views."""

    raw: torch.Tensor

    @staticmethod
    def __new__(cls, raw):
        if raw.dtype in (torch.float64, torch.complex128) and not ledger.float64:
            raise TypeError(f"Cannot convert a tensor to {raw.dtype}: this device does not have it")
        self = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=torch.device(DEVICE),
        )
        self.raw = raw
        return self

    def __init__(self, raw):
        pass

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return dispatch(func, args, kwargs or {})

    def tolist(self):
        """As a real device has it; PyTorch refuses it for subclasses."""
        return self.cpu().tolist()

    def __deepcopy__(self, memo):
        copied = DeviceTensor(self.raw.detach().clone()).requires_grad_(self.requires_grad)
        if isinstance(self, torch.nn.Parameter):
            copied = torch.nn.Parameter(copied, self.requires_grad)
        return memo.setdefault(id(self), copied)

    def __repr__(self):
        return f"{self.raw!r} on {DEVICE}"


class _Everywhere(TorchDispatchMode):
    """Sees every operation, those that make a tensor on the device from nothing included."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return dispatch(func, args, kwargs or {})


class _Vectors(TorchFunctionMode):
    """PyTorch multiplies a vector by a matrix with an axis that it drops in place, which a wrapper would not notice."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__):
            a, b = args
            if a.ndim == 1 and b.ndim == 2:
                return (a[None] @ b)[0]
            if a.ndim == 2 and b.ndim == 1:
                return (a @ b[:, None])[:, 0]
        return func(*args, **(kwargs or {}))


def dispatch(func, args, kwargs):
    """Do on the CPU what was asked of the device, unless a device would not."""
    leaves = [*_leaves(args), *_leaves(kwargs.values())]
    ours = [x for x in leaves if isinstance(x, DeviceTensor)]
    wanted = kwargs.get("device")
    goes_to_cpu = wanted is not None and torch.device(wanted).type == "cpu"
    if not ours and (wanted is None or torch.device(wanted).type != NAME):
        return func(*args, **kwargs)
    name = func.overloadpacket.__name__
    others = [x for x in leaves if isinstance(x, torch.Tensor) and not isinstance(x, DeviceTensor)]
    _refuse(name, args, others, kwargs.get("generator"))
    into_cpu = name == "copy_" and not isinstance(args[0], DeviceTensor)
    _count(name, ours, others, goes_to_cpu or into_cpu)
    func = EAGER.get(name, func)
    out = func(*_each(_plain, args), **{key: _each(_plain, value) for key, value in kwargs.items()})
    if goes_to_cpu or into_cpu:
        return args[0] if into_cpu else out
    known = {id(x.raw): x for x in ours}

    def wrap(x):
        if not isinstance(x, torch.Tensor):
            return x
        if id(x) not in known:
            return DeviceTensor(x)
        if known[id(x)].shape != x.shape:
            raise NotImplementedError(f"{name}: a shape changed in place, which the stand-in cannot follow")
        return known[id(x)]  # what was written in place is what it was

    return _each(wrap, out)


def _leaves(values):
    """What stands in an operation's arguments, in their lists too; PyTorch's own trees take four times as long."""
    for value in values:
        if isinstance(value, tuple | list):
            yield from _leaves(value)
        else:
            yield value


def _each(change, value):
    """An argument or a result with each tensor and number changed, in lists and tuples too."""
    if isinstance(value, tuple | list):
        changed = [_each(change, each) for each in value]
        return changed if isinstance(value, list) else tuple(changed)
    return change(value)


def _plain(x):
    """A tensor's numbers; the CPU for the device."""
    if isinstance(x, DeviceTensor):
        return x.raw
    return CPU if isinstance(x, torch.device) and x.type == NAME else x


def _refuse(name, args, others, generator):
    if generator is not None and generator.device.type == "cpu":
        raise DeviceError(f"{name}: Expected a '{NAME}' device type for generator but found 'cpu'")
    if name in COPIES:
        return
    if name in ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"):
        if not isinstance(args[0], DeviceTensor):
            raise DeviceError(f"{name}: indices should be on the device of the indexed tensor (cpu)")
        return  # the processor's indices are allowed, and moved
    mixed = [x for x in others if x.ndim or name in STRICT]
    if mixed:
        raise DeviceError(f"{name}: Expected all tensors to be on the same device, but found {DEVICE} and cpu")
    written = args[0] if args else None
    if name.endswith("_") and isinstance(written, torch.Tensor) and not isinstance(written, DeviceTensor):
        raise DeviceError(f"{name}: Expected all tensors to be on the same device, but a cpu tensor would be written")


def _count(name, ours, others, goes_to_cpu):
    ledger.note("operations")
    if name in COPIES and goes_to_cpu and ours:
        ledger.note("from the device")
    elif (name in COPIES and others and not goes_to_cpu) or (name.startswith("index") and others):
        ledger.note("to the device")
    if name in WAITS or (name == "index" and any(x.dtype == torch.bool for x in ours[1:])):
        ledger.note("waits")


class _Module:
    """What PyTorch asks of a device's Python module."""

    is_available = staticmethod(lambda: True)
    is_initialized = staticmethod(lambda: True)
    _is_in_bad_fork = staticmethod(lambda: False)
    current_device = staticmethod(lambda: 0)
    device_count = staticmethod(lambda: 1)
    manual_seed_all = staticmethod(lambda seed: None)
    get_rng_state = staticmethod(lambda device=None: torch.get_rng_state())
    set_rng_state = staticmethod(lambda state, device=None: None)
    get_amp_supported_dtype = staticmethod(lambda: [torch.bfloat16, torch.float16])


# what CUDA's autocast computes in the lower precision, and what in float32 (PyTorch's list, as far as used here)
LOWER = ("linear", "matmul", "mm", "bmm", "addmm", "baddbmm", "conv2d", "conv_transpose2d.input",
         "scaled_dot_product_attention")  # fmt: skip
SINGLE = ("layer_norm", "group_norm", "softplus", "exp", "expm1", "log", "log1p", "pow.Tensor_Scalar", "rsqrt",
          "softmax.int", "log_softmax.int", "logsumexp", "sum", "sum.dim_IntList", "cumsum", "norm.ScalarOpt_dim",
          "nll_loss", "mse_loss", "binary_cross_entropy_with_logits", "cosine_similarity", "cdist")  # fmt: skip
_libraries = []


def _autocast(name: str, dtype: torch.dtype | None) -> None:
    """Let autocast on the device cast an operation's tensors: to dtype, or to what autocast was asked for."""
    packet, _, overload = name.partition(".")
    operation = getattr(getattr(aten, packet), overload or "default")
    key = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def cast(*args, **kwargs):
        target = dtype or torch.get_autocast_dtype(NAME)
        with torch._C._ExcludeDispatchKeyGuard(key):
            moved = lambda x: x.to(target) if isinstance(x, torch.Tensor) and x.is_floating_point() else x
            return operation(*_each(moved, args), **{name: _each(moved, value) for name, value in kwargs.items()})

    _libraries[0].impl(name, cast, "AutocastPrivateUse1")


def register() -> None:
    """Make ``sim`` a device of this process, once, and before its first backward pass: autograd counts devices then."""
    if _libraries:
        return
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Module())
    _libraries.append(torch.library.Library("aten", "IMPL"))
    rest = torch.library.Library("_", "IMPL")
    rest.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    _libraries.append(rest)
    # C++ that makes a tensor itself, as of a list that indexes, goes past Python's dispatch
    for name in ("empty.memory_format", "empty_strided", "copy_", "_copy_from", "_to_copy", "view", "as_strided"):
        packet, _, overload = name.partition(".")
        operation = getattr(getattr(aten, packet), overload or "default")
        kernel = lambda *args, _operation=operation, **kwargs: dispatch(_operation, args, kwargs)
        _libraries[0].impl(name, kernel, "PrivateUse1")
    for name in LOWER:
        _autocast(name, None)
    for name in SINGLE:
        _autocast(name, torch.float32)


@contextlib.contextmanager
def accelerator(float64: bool = True) -> Iterator[Ledger]:
    """Put the device into this process for a while; yields what is counted from here on."""
    register()
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)  # a module's tensors are exchanged as wholes
    ledger.counts.clear()
    ledger.places.clear()
    ledger.float64 = float64
    try:
        with _Everywhere(), _Vectors():
            yield ledger
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
        ledger.float64 = True
