"""Several processes that train one model: a thin layer on ``torch.distributed``; ``torchrun`` starts the processes.

    torchrun --nproc_per_node=2 script.py

Every process draws the same batch from the same generator and works on its own rows of it. Gradients are averaged, so
that all take the same step, and two processes do what one does, rounding apart; with batch norm they do not, as its
statistics are over each process's own rows. Without torchrun there is one process, and everything here does nothing.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from course_lib.training.fit import Draw, Step

Batch = TypeVar("Batch")
LET_GO = 0.1  # seconds
LOST = (  # how gloo and nccl word it
    "connection closed by peer",
    "connection reset by peer",
    "broken pipe",
    "timed out waiting",
    "remote process exited",
    "socket closed",
    "communicator was aborted",
)


class LostProcessError(RuntimeError):
    """This process was asked to end, or another one of the group is gone or does not answer: it cannot go on alone."""


@dataclass(frozen=True)
class Processes:
    """The processes of a run: this one's number, how many there are, and its number on its own machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this process is the one that prints and saves."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """Return which rows of a batch are this process's; ValueError where they cannot be shared equally.

        Equal shares are what makes the mean of the gradients the gradient of the mean.
        """
        if batch % self.size:
            raise ValueError(f"batch: expected rows for {self.size} processes in equal shares, got {batch} rows")
        share = batch // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def parallel(self, module: nn.Module) -> nn.Module:
        """Return the module in ``DistributedDataParallel``; call it, and its gradients arrive averaged.

        Its buckets of gradients travel while the backward pass goes on (Li et al. 2020, *PyTorch Distributed*).
        """
        return DistributedDataParallel(module) if self.size > 1 else module

    def average_gradients(self, module: nn.Module) -> None:
        """Let each gradient be averaged as soon as it is there, one by one.

        For steps that call other methods of a module than ``forward``, or call it twice before one backward pass,
        which ``DistributedDataParallel`` is not made for. All begin with the weights of process 0.
        """
        if self.size == 1:
            return
        for parameter in module.parameters():
            dist.broadcast(parameter.data, 0)
            parameter.register_post_accumulate_grad_hook(self._average)

    def _average(self, parameter: Tensor) -> None:
        if parameter.grad is not None:
            dist.all_reduce(parameter.grad)
            parameter.grad /= self.size

    def mean(self, scalars: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each scalar's mean over the processes, the same in all; they have to call it together."""
        if self.size == 1:
            return dict(scalars)
        together = torch.stack([value.detach().float() for value in scalars.values()])
        dist.all_reduce(together)
        return dict(zip(scalars, (together / self.size).unbind(), strict=True))

    def agree(self, flag: bool, device: torch.device | str = "cpu") -> bool:
        """Return whether all processes say yes: what each has measured for itself may differ.

        device: where the group's tensors live, a GPU under nccl.
        """
        if self.size == 1:
            return flag
        votes = torch.tensor(float(flag), device=device)
        dist.all_reduce(votes)
        return round(votes.item()) == self.size

    def draw(self, draw: Draw[Batch], batch: int, take: Callable[[Batch, slice], Batch]) -> Draw[Batch]:
        """Return the draw that gives this process its rows of the batch that all draw alike.

        batch: its number of rows; take: returns some rows of a batch. ValueError as ``rows``.
        """
        rows = self.rows(batch)
        return draw if self.size == 1 else lambda generator: take(draw(generator), rows)

    def step(self, step: Step[Any]) -> Step[Any]:
        """Return the step whose scalars are means over all processes: what is written down is of the whole batch."""
        return step if self.size == 1 else lambda batch: self.mean(step(batch))


def launched() -> Processes:
    """Return what torchrun's variables say: RANK, WORLD_SIZE, LOCAL_RANK; one process where it did not start this.

    ValueError where only some of them are set, or are no numbers that fit together.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    texts = [os.environ.get(name) for name in names]
    if texts == [None] * 3:
        return Processes()
    said = ", ".join(f"{name}={text}" for name, text in zip(names, texts, strict=True))
    if not all(text is not None and text.isdecimal() for text in texts):
        raise ValueError(
            f"RANK, WORLD_SIZE, LOCAL_RANK: expected three whole numbers, as torchrun sets them, got {said}"
        )
    rank, size, local_rank = (int(text) for text in texts if text is not None)
    if not rank < size or local_rank > rank:
        raise ValueError(f"RANK: expected 0 ≤ LOCAL_RANK ≤ RANK < WORLD_SIZE, got {said}")
    return Processes(rank, size, local_rank)


def own_device(processes: Processes) -> str | None:
    """Return the GPU of this process, 'cuda:1' for its number 1 on the machine; None without torchrun or a GPU.

    ValueError where the machine has fewer GPUs than processes.
    """
    if processes.size == 1 or not torch.cuda.is_available():
        return None
    if processes.local_rank >= torch.cuda.device_count():
        raise ValueError(
            f"nproc_per_node: expected at most a process for each of {torch.cuda.device_count()} GPUs, "
            f"got number {processes.local_rank + 1}; --device cpu trains without them"
        )
    return f"cuda:{processes.local_rank}"


@contextlib.contextmanager
def process_group(device: torch.device | str = "cpu") -> Iterator[Processes]:
    """Join the processes that torchrun started, and leave them whatever happens; one process where it started none.

    device: this process's; a GPU's tensors travel by nccl, all others by gloo. Within the context only the first
    process prints. LostProcessError where another one has ended: PyTorch's errors of a connection that is
    broken or waits too long, and SIGTERM, which torchrun sends to those that are left, become that one sentence.
    """
    processes, device = launched(), torch.device(device)
    if processes.size == 1:
        yield processes
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        with _last_words(), _silent(not processes.first):
            yield processes
    finally:
        dist.destroy_process_group()
        # gloo's threads live on and may still hold the last tensors: one that lets go of them while Python is taken
        # down aborts the process (pytorch/pytorch, issue 190489 and pull request 179291)
        time.sleep(LET_GO)


def _lost() -> LostProcessError:
    return LostProcessError(
        "this process was asked to end, or another is gone or does not answer; "
        "where a checkpoint was written it is whole: go on with --resume"
    )


def _is_loss(error: RuntimeError) -> bool:
    """Whether an error says that another process, or the connection to it, is gone or silent."""
    said = str(error).lower()
    return isinstance(error, LostProcessError) or any(text in said for text in LOST)


@contextlib.contextmanager
def _last_words() -> Iterator[None]:
    """Turn a broken connection, and SIGTERM, whoever sent it, into LostProcessError.

    After that SIGTERM is ignored: torchrun waits for those that are left, and this one ends when it has said why. After
    anything else SIGTERM does again what it did before.
    """
    in_main = threading.current_thread() is threading.main_thread()  # where alone signals arrive
    ignore = lambda: in_main and signal.signal(signal.SIGTERM, signal.SIG_IGN)  # noqa: E731

    def ended(*_: Any) -> None:
        ignore()
        raise _lost()

    before = signal.signal(signal.SIGTERM, ended) if in_main else None
    try:
        yield
    except RuntimeError as error:
        if not _is_loss(error):
            raise
        ignore()
        raise _lost() from None
    finally:
        if in_main and signal.getsignal(signal.SIGTERM) is ended:
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _silent(silent: bool) -> Iterator[None]:
    """Throw away what is printed."""
    if not silent:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
