"""A second device without its hardware: tensors that say they are on a GPU and refuse what a GPU's tensors refuse."""

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

GPU = torch.device("cuda", 0)


class Away(torch.Tensor):
    """A tensor on the second device: NumPy gets nothing of it, and no operation takes it together with one that is here."""

    device = property(lambda self: GPU)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        if any(not isinstance(x, Away) and x.dim() for x in tensors):
            raise RuntimeError("Expected all tensors to be on the same device, found cuda:0 and cpu")
        return super().__torch_function__(func, types, args, kwargs or {})

    def __array__(self, *_):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu()")

    def numpy(self, **_):
        return self.__array__()

    def __format__(self, spec):
        return format(self.cpu(), spec)

    def cpu(self):
        with torch._C.DisableTorchFunctionSubclass():
            return self.as_subclass(torch.Tensor)


class SecondDevice(TorchFunctionMode):
    """While it is on, ``to`` and the functions that make tensors know the second device."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        asked = [x for x in [kwargs.pop("device", None)] if x is not None]
        if func is torch.Tensor.to:
            asked += [x for x in args if isinstance(x, torch.device | str)]
            types = [x for x in args if isinstance(x, torch.dtype)]
            made = func(args[0], *types, **kwargs) if types or kwargs else args[0]
        else:
            made = func(*args, **kwargs)
        if not asked:
            return made
        return made.as_subclass(Away) if torch.device(asked[0]).type == GPU.type else Away.cpu(made)


def moved(module):
    """Move a module's parameters and buffers to the second device."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = nn.Parameter(parameter.data.as_subclass(Away))
        for name, buffer in part._buffers.items():
            part._buffers[name] = buffer if buffer is None else buffer.as_subclass(Away)
    return module
