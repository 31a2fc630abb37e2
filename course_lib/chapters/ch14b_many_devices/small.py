"""A language model small enough for two processes of any machine: the same model and batches wherever it is called."""

from collections.abc import Iterator

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer, modern
from course_lib.datasets.text import load_shakespeare, random_windows
from course_lib.training.distributed import Processes
from course_lib.training.fit import Draw, Step
from course_lib.training.trained import Trained

ROWS, CONTEXT = 16, 32


def new_model() -> Transformer:
    """Return two blocks of width 64, the same weights at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Transformer(modern(65, context_length=CONTEXT, n_layers=2, n_heads=2, d_model=64))


def draw_windows() -> Draw[tuple[Tensor, Tensor]]:
    """Return the draw of 16 windows of Shakespeare and their targets, (16, 32) each."""
    text = load_shakespeare().train
    return lambda generator: random_windows(text, ROWS, CONTEXT, generator)


def batches(steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the same batches at each call."""
    draw, generator = draw_windows(), torch.Generator().manual_seed(1)
    for _ in range(steps):
        yield draw(generator)


def loss_of(model: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats."""
    return F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())


def recipe(processes: Processes) -> tuple[Step, Draw, Trained]:
    """Return step, draw and trained for ``fit``, this process's rows of every batch."""
    model = new_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    step = next_token_step(processes.parallel(model), [optimizer], clip=None)
    take = lambda batch, rows: (batch[0][rows], batch[1][rows])  # noqa: E731
    trained = Trained({"model": model}, {"adamw": optimizer}, torch.Generator().manual_seed(1))
    return processes.step(step), processes.draw(draw_windows(), ROWS, take), trained


def watched(model: DistributedDataParallel) -> DistributedDataParallel:
    """Return the model, which notes, whenever a bucket leaves, how many parameters have no gradient yet."""
    seen: list[int] = []
    parameters = list(model.parameters())  # not the model: held by its own hook it would never be freed

    def leave(state: object, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
        if bucket.index() == 0:
            seen.clear()
        seen.append(sum(parameter.grad is None for parameter in parameters))
        average = bucket.buffer().div_(dist.get_world_size())
        dist.all_reduce(average)  # to its end: DDP's own hook goes on while the bucket travels
        done: torch.futures.Future[Tensor] = torch.futures.Future()
        done.set_result(average)
        return done

    model.register_comm_hook(None, leave)
    model.__dict__["waiting"] = seen  # a list, no module and no parameter
    return model


def about(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """Return what a script reports besides its losses: bytes that this process holds, and what ``watched`` noted.

    Of a sharded model a process holds its own part of weights, gradients and moments.
    """
    local = lambda tensor: tensor.to_local() if hasattr(tensor, "to_local") else tensor  # noqa: E731
    moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    kinds: dict[str, list[Tensor]] = {"weights": [*model.parameters()], "gradients": gradients, "moments": moments}
    held = {name: sum(local(tensor).nbytes for tensor in tensors) for name, tensors in kinds.items()}
    return {"bytes": held, "waiting": getattr(model, "waiting", [])}
