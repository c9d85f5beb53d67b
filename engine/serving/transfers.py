"""Between the computer's memory and a GPU's, beside the work that the GPU has in hand."""

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_of_thread = threading.local()


def to_device(arrays: Sequence[npt.NDArray[np.uint8]], device: torch.device) -> Tensor:
    """Arrays of one shape, stacked, on the device. To a GPU they go while it is busy with what came before."""
    if device.type != "cuda":
        return torch.from_numpy(np.stack(arrays)).to(device)
    here = torch.empty((len(arrays), *arrays[0].shape), dtype=torch.uint8, pin_memory=True)
    np.stack(arrays, out=here.numpy())
    stream, current = _copying_stream(device), torch.cuda.current_stream(device)
    with torch.cuda.stream(stream):
        there = here.to(device, non_blocking=True)
    current.wait_stream(stream)
    there.record_stream(current)  # its memory is not given away before the work on it is done
    return there


def to_host(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors of one device in the computer's memory. A GPU is waited for as far as they depend on it, once."""
    if tensors[0].device.type != "cuda":
        return tuple(tensor.cpu() for tensor in tensors)
    here = tuple(torch.empty(one.shape, dtype=one.dtype, pin_memory=True) for one in tensors)
    for target, tensor in zip(here, tensors, strict=True):
        target.copy_(tensor, non_blocking=True)
    arrived = torch.cuda.Event()
    arrived.record(torch.cuda.current_stream(tensors[0].device))
    arrived.synchronize()
    return here


def _copying_stream(device: torch.device) -> torch.cuda.Stream:
    """One for each thread: streams are few, and threads copy one thing at a time."""
    if not hasattr(_of_thread, "stream"):
        _of_thread.stream = torch.cuda.Stream(device)
    return _of_thread.stream
