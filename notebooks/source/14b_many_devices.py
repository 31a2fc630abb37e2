# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14b · Many devices
#
# **How do many devices train one model, and what would the famous ones cost?**
#
# Chapter 14 asked where the time of one device goes. Large models are trained by thousands, which have to agree after
# every step. This optional chapter derives what they must exchange, lets two processes of your machine do it, kills one of
# them, and then does the sum for the trainings below. No later chapter relies on it.

# %% tags=["hide-input"]
from course_lib.chapters.ch14b_many_devices import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Published GPU-hours of GPT-2 made again, Llama 2 and Llama 3.1 close to an estimate at 40 "
         "percent of the peak, from 192 to 31 million; hollow, above it: GPT-3, worked out by others.")

# %% [markdown]
# Afterwards you can
#
# - say by which weights the gradients of parts are averaged, and tell a wrong average by its symptom;
# - send a gradient round a ring, count its bytes, and start a training on two processes;
# - work out what a device must hold, and what a training takes in days, money and energy.
#
# **Needs** chapters 04 and 05; chapter 14 leads here. **Time** 50 minutes to read, 40 for the exercises; the cells take
# about 40 seconds on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $B$ | rows of the batch that all devices share | |
# | $N, n$ | devices; number of one, from 0 | |
# | $L, \nabla L$ | mean loss over the batch; its gradient | |
# | $\eta$ | rate | |
# | $t$ | step around the ring, from 0 | |
#
# $B_n$ and $L_n$ are the rows of device $n$ and the mean loss over them, and $\ell_i$ is the loss of row $i$.

# %% tags=["nbval-ignore-output"]
import json
import tempfile
from pathlib import Path

import torch
from torch import nn

from course_lib.chapters.ch14b_many_devices import costs
from course_lib.chapters.ch14b_many_devices.launch import torchrun
from course_lib.chapters.ch14b_many_devices.parts import symptoms
from course_lib.chapters.ch14b_many_devices.ring import seconds_a_step
from course_lib.chapters.ch14b_many_devices.small import batches, loss_of, new_model, recipe
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.training.checkpoints import load_checkpoint
from course_lib.training.distributed import Processes
from course_lib.training.fit import fit
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64
results = Path(tempfile.mkdtemp(prefix="course-14b-"))

# %% [markdown]
# ## 1 · Parts of a batch
#
# Every device holds a copy of the model and works on rows of its own. When may all of them take the step that one device
# with the whole batch would take? A mean over everything is a weighted mean of means, and a gradient is linear:
#
# $$\nabla L = \nabla\, \frac1B \sum_i \ell_i = \sum_n \frac{B_n}{B}\, \nabla L_n. \tag{14b.1}$$
#
# With equal parts, $B_n = B/N$, **the gradient of the average is the average of the gradients**:
#
# $$\nabla L = \frac1N \sum_n \nabla L_n. \tag{14b.2}$$

# %% tags=["hide-input"]
show(pictures.devices_and_batch(),
     alt="One batch is cut into the rows of two devices; each copy of the model makes a gradient, an "
         "all-reduce makes their mean, and both devices take the same update.")

# %%
generator = torch.Generator().manual_seed(0)
x, y = (torch.randn(12, n, dtype=f64, generator=generator) for n in (5, 2))  # a batch of 12 rows
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()


def gradient(rows, model=model):
    """Return the gradient of the mean loss over these rows as one vector."""
    loss = (model(x[rows]) - y[rows]).square().mean()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def far(found, wanted):
    """Return the distance relative to the length of what was wanted."""
    return ((found - wanted).norm() / wanted.norm()).item()


whole = gradient(slice(0, 12))
averages = []
for N in (2, 3, 4, 6, 12):
    parts = [gradient(slice(n * 12 // N, (n + 1) * 12 // N)) for n in range(N)]
    averages.append(sum(parts) / N)
claim("equal parts: the average of 2, 3, 4, 6 or 12 gradients is the whole batch's",
      max(far(average, whole) for average in averages) < 1e-12)

# %% [markdown]
# Now one device takes 9 rows and the other 3, and somebody averages their two gradients all the same. How far is that from
# the gradient of all 12, in percent of its length?

# %% tags=["nbval-ignore-output"]
guess("unequal_parts", ...)

# %%
nine, three = gradient(slice(0, 9)), gradient(slice(9, 12))
wrong = far((nine + three) / 2, whole)
claim("9 and 3 rows: the plain average is more than a fifth of its length off",
      wrong > 0.2, guessed="unequal_parts", percent=100 * wrong)
claim("weighed by 9/12 and 3/12 it is right", far(9 / 12 * nine + 3 / 12 * three, whole) < 1e-12)

# %% [markdown]
# Equal rows do not settle it. A language model's loss is often a mean over the tokens that *count*: padding does not, nor does
# the question in a chat. Two devices with eight sequences each may have 900 and 300 such tokens.
#
# ### Exercise: weigh the parts
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("together.whole_gradient")
def whole_gradient(gradients, counts):
    """Return the gradient of the mean over all tokens that count, on all devices, as (n,).

    gradients (devices, n): of each device's own mean; counts (devices,): over how many tokens it was.
    Worked value: gradients [[1., 0.], [5., 8.]] with counts [3., 1.] give [2., 2.].
    """
    ...

# %%
counts_too = torch.tensor([1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0]).bool()  # the others are padding
rows_of_both = [slice(0, 6), slice(6, 12)]  # as many rows on both
kept = [torch.arange(12)[rows][counts_too[rows]] for rows in rows_of_both]
own = torch.stack([gradient(rows) for rows in kept])  # (devices, n)
counted = torch.tensor([len(rows) for rows in kept], dtype=f64)
together = gradient(torch.cat(kept))
claim("padding: weighed by what counts, the devices' gradients are the whole one",
      far(whole_gradient(own, counted), together) < 1e-10, counts=counted)
claim("weighed by rows they are not", far(own.mean(0), together) > 0.01, off=far(own.mean(0), together))

# %% [markdown]
# And where rows see each other, no weights help. Batch norm (chapter 11) normalises a row by the mean and variance of the rows
# around it; those of 6 rows are not those of 12. With more rows the statistics of a half come closer to those of the whole. Layer norm (chapter 04) looks at one position alone.

# %%
def halves_off(norm):
    """Return how far the average of two equal halves' gradients is off, in a network with this norm."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 7), norm(7), nn.Tanh(), nn.Linear(7, 2)).double()
    halves = (gradient(slice(0, 6), model) + gradient(slice(6, 12), model)) / 2
    return far(halves, gradient(slice(0, 12), model))


with_batch, with_layer = (halves_off(norm) for norm in (nn.BatchNorm1d, nn.LayerNorm))
claim("batch norm: the average of the gradients of two halves of 6 rows is more than 5 percent off",
      with_batch > 0.05, off=with_batch)
claim("layer norm: it is exact", with_layer < 1e-12)

# %% [markdown]
# Networks with batch norm are trained on many devices all the same: either each device keeps to the statistics of its own rows, and
# the result is that of a smaller batch, or the devices exchange the statistics as well (PyTorch's `SyncBatchNorm`).
#
# The famous mistake is to *add* the $N$ gradients and forget to divide. For plain gradient descent that is a rate of $N\eta$. And
# for Adam, at the same rate? After 30 steps, how far do the weights with four-fold gradients end from those with the right
# ones, in percent of the way they went?

# %% tags=["nbval-ignore-output"]
guess("sum_with_adam", ...)

# %%
def moved(factor, steps=30):
    """Return how Adam has moved the weights after steps whose gradients were multiplied by factor."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()
    start_at = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        (factor * (model(x) - y).square().mean()).backward()
        optimizer.step()
    return nn.utils.parameters_to_vector(model.parameters()).detach() - start_at


adam_off = far(moved(4), moved(1))
claim("Adam: summed or averaged, the weights end within a thousandth of the way from each other",
      adam_off < 1e-3, guessed="sum_with_adam", percent=100 * adam_off)

# %% [markdown]
# Adam divides by the gradient's own size (chapter 05), so it hides the mistake, until somebody clips the gradient or changes the
# optimizer.
#
# ### Exercise: name the fault
# *difficulty 2/5 · importance 4/5 · 5 minutes*
#
# Three trainings on two devices by plain gradient descent. Both begin with the same weights. *Apart*: the distance between the two
# devices' weights after 30 steps. *First step*: the length of device 0's first step, divided by the length of the one that a device with all rows
# would take. Which fault has run A, and which run B: `no_averaging`, `same_rows`, `sum_for_mean` or `no_fault`?

# %% tags=["nbval-ignore-output"]
for name, (distance, first) in symptoms().items():
    print(f"run {name}: apart {distance:.3f}, first step {first:.3f}")
answer("together.run_a", ...)
answer("together.run_b", ...)

# %% [markdown]
# ## 2 · All-reduce around a ring
#
# Every device has a vector and wants the sum of all. If they all send theirs to device 0, it receives $N - 1$ whole gradients and
# sends as many back. A **ring** spreads this evenly: each device cuts its vector into $N$ chunks, and in every step sends
# *one chunk* to its right neighbour while it receives one from the left. In a first round of $N - 1$ steps receivers add,
# and at its end each device holds one chunk's complete sum: a *reduce-scatter*. In a second round of $N - 1$ steps these go
# round: an *all-gather*.

#
# ### Exercise: a step of the ring
# *difficulty 3/5 · importance 4/5 · 12 minutes*
#
# In step 0 device $n$ sends its chunk $n$. Which chunk must it send in step $t$, so that $N - 1$ steps complete the sums?

# %% tags=["hide-input"]
show(pictures.circle(),
     alt="Four devices in a ring, each with chunks 0 to 3; in step 0 device 0 sends its chunk 0 to "
         "device 1, device 1 its chunk 1 to device 2, and so on round to device 0.")

# %% tags=["nbval-ignore-output"]
@exercise("together.ring_all_reduce")
def ring_step(held, t):
    """Return what the devices hold after step t = 0 … N − 2 of the first round; all send at once.

    held (N, N, size): held[n, c] is device n's chunk c. Device n sends one chunk to device
    n + 1, the last one to device 0; the receiver adds it to its own chunk of that number.
    Worked value: [[[1.], [2.]], [[3.], [4.]]] with t = 0 gives [[[1.], [6.]], [[4.], [4.]]].
    """
    ...

# %%
def all_reduce(held):
    """Return what all hold in the end, and how many numbers of each its neighbour has changed (N,)."""
    N, changed = len(held), 0
    for t in range(N - 1):  # first round: sums come together
        before, held = held, ring_step(held, t)
        changed += (held != before).flatten(1).sum(1)
    for t in range(N - 1):  # second round: device n's complete chunk n + 1 goes on, then the one it got
        before, held = held, held.clone()
        for n in range(N):
            held[(n + 1) % N, (n + 1 - t) % N] = before[n, (n + 1 - t) % N]
        changed += (held != before).flatten(1).sum(1)
    return held, changed


sizes = {N: torch.randn(N, N, 840 // N, dtype=f64, generator=generator) for N in (2, 3, 5, 8)}
ends = {N: all_reduce(held) for N, held in sizes.items()}

# %%
claim("2, 3, 5 and 8 devices: all hold the sum at the end",
      all(far(ends[N][0], sizes[N].sum(0).expand(N, -1, -1)) < 1e-12 for N in sizes))
claim("each has sent 2 (N − 1)/N times its own vector: once for 2 devices, 1.75 times for 8",
      all((changed * N == 2 * (N - 1) * 840).all() for N, (_, changed) in ends.items()),
      changed_at_the_neighbour=[changed[0].item() for _, changed in ends.values()])

# %% tags=["hide-input"]
stages = [torch.eye(4, dtype=f64)[:, :, None].expand(4, 4, 1) * 0 + 0.25]
for t in range(3):
    stages.append(ring_step(stages[-1], t))
stages.append(all_reduce(stages[0])[0])
fig = pictures.ring([stage[..., 0] for stage in stages])
show(fig, alt="Share of each chunk's sum that each of four devices holds: a quarter at the start, one "
              "complete chunk on each device after three steps, all complete after six.")

# %% [markdown]
# A chunk is the $N$-th part, and there are two rounds of $N - 1$ steps. So each device sends
#
# $$\text{bytes a device} = 2\,\frac{N - 1}{N} \cdot \text{size}, \tag{14b.3}$$
#
# never twice its own gradient, however many devices there are. Time has a second part: before the first byte of a message arrives, a
# **latency** passes. If a part of the batch keeps a device as busy as the whole did, and the exchange waits for the end of backward,
#
# $$\text{time a step} = \frac{\text{work}}{N} + 2\,\frac{N-1}{N}\,\frac{\text{size}}{\text{bandwidth}}
#   + 2\,(N-1)\cdot\text{latency}. \tag{14b.4}$$
#
# Suppose a batch that takes one device a second, GPT-2's smallest model with 124 million gradients in float32, links of 12.5 GB/s
# (100 Gbit/s) and a latency of 30 µs. How many times as fast as one device are 64?

# %% tags=["nbval-ignore-output"]
guess("sixty_four", ...)

# %%
setting = {"compute": 1.0, "size": 4 * 124e6, "bandwidth": 12.5e9, "latency": 30e-6}
speedup = lambda N: seconds_a_step(1, **setting) / seconds_a_step(N, **setting)
claim("by equation (14b.4) 64 devices are 10 times as fast as one, and 8 are 5 times",
      round(speedup(64)) == 10 and round(speedup(8)) == 5, guessed="sixty_four", times=speedup(64))
claim("1,024 are slower than 64: latency grows with the ring",
      speedup(1024) < speedup(64), times=speedup(1024))

# %% tags=["hide-input"]
fig = pictures.speed(**setting)
fig.axes[0].set_title(f"64 devices: {speedup(64):.0f} times as fast, 1,024: {speedup(1024):.0f} times",
                      loc="left")
show(fig, alt="Seconds a step against devices: the shared work falls, the exchange rises from 0.04 to "
              "0.08 seconds at 64 and to 0.14 at 1,024, so their sum falls and then rises.")

# %% [markdown]
# That was one batch cut ever finer. With a larger batch the work on each device stays, and the same exchange weighs less. Gradients in
# bfloat16 halve the part that depends on size. Large rings are replaced by trees, whose number of steps grows as $\log N$.
#
# ## 3 · Two processes
#
# The loop of one process first, on the CPU, then the same as a script for several. `torchrun` starts it once for each process and
# tells each its number; **gloo** is PyTorch's exchange between CPUs, **nccl** that between NVIDIA's GPUs. `MANY` is a blank: here two lines fill it that
# average the gradients, in section 4 others that divide the model. The script differs from the loop in one more place: a process knows
# only the loss of its own rows, so each divides its loss by the number of processes, and `all_reduce`, which adds, makes the mean.

# %%
def train_alone(steps):
    model, losses = new_model(), []  # two blocks of width 64
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for tokens, targets in batches(steps):  # 16 windows of Shakespeare, the same at each call
        loss = loss_of(model, tokens, targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


alone = train_alone(24)

# %% tags=["nbval-ignore-output"]
TWO = '''
import json, sys, torch
import torch.distributed as dist
from course_lib.chapters.ch14b_many_devices import small
dist.init_process_group("gloo")                                    # meet the others
rank, size = dist.get_rank(), dist.get_world_size()
model = small.new_model()
MANY
optimizer, losses = torch.optim.AdamW(model.parameters(), lr=3e-3), []
for tokens, targets in small.batches(24):                          # everybody draws the same batch
    rows = slice(rank * 16 // size, (rank + 1) * 16 // size)       # and works on its own rows
    optimizer.zero_grad()
    loss = small.loss_of(model, tokens[rows], targets[rows])
    loss.backward()
    optimizer.step()
    mean = loss.detach() / size
    dist.all_reduce(mean)                                          # adds: now the loss of all rows
    losses.append(mean.item())
about = small.about(model, optimizer)
if rank == 0: json.dump({"losses": losses, **about}, open(sys.argv[1], "w"))
dist.barrier()                                                     # nobody leaves before the others
dist.destroy_process_group()
'''
DDP = '''
from torch.nn.parallel import DistributedDataParallel
model = DistributedDataParallel(model, bucket_cap_mb=0.1)  # gradients come averaged; default: 25 MB
model = small.watched(model)      # to take notes it averages in DDP's place, and waits for each bucket
'''
torchrun(TWO.replace("MANY", DDP), results / "two.json")
two = json.loads((results / "two.json").read_text())
print(f"loss after 24 steps: one process {alone[-1]:.6f}, two {two['losses'][-1]:.6f}")

# %%
gap = max(abs(a - b) for a, b in zip(alone, two["losses"], strict=True))
claim("24 steps on two processes: the loss of one process, to 1e-5 in every step",
      gap < 1e-5 and len(alone) == 24, largest_difference=gap)
claim("and it did learn: more than 0.5 nats in 24 steps", alone[0] - two["losses"][-1] > 0.5)
# noted as each bucket left: how many parameters had no gradient yet
waiting, n_parameters = two["waiting"], len(list(new_model().parameters()))
claim("the first bucket of gradients leaves while most parameters still have none",
      waiting[0] > n_parameters / 2, waiting=waiting, parameters=n_parameters)

# %% [markdown]
# `DistributedDataParallel` averages gradients and need not wait for all of them. Backward goes from the last layer to
# the first; as soon as a **bucket** of gradients is full it leaves, while the layers before are still at work. A journey
# shorter than that work takes no time of its own. How much that saves is not measured here.
#
# ## 4 · Whose bytes?
#
# In mixed precision a parameter takes 2 bytes as a weight in bfloat16, 2 as its gradient, and 12 in the optimizer: a float32 copy and
# Adam's two moments. Each device holds all 16. **Sharding** divides them, kind by kind (Rajbhandari et al. 2020, *ZeRO*).
#
# ### Exercise: bytes on a device
# *difficulty 2/5 · importance 4/5 · 8 minutes*
#
# Stage 1 divides one kind, stage 2 one more, stage 3 all three. In which order? Weights are needed by every layer in both passes, the
# optimizer's state once a step.

# %% tags=["nbval-ignore-output"]
@exercise("together.bytes_a_device")
def bytes_a_device(parameters, devices, stage):
    """Return the bytes of weights, gradients and optimizer state that one of the devices holds.

    stage 0 divides nothing, 1 to 3 one kind more each, equally among all devices. (The checks
    see bytes, and so not the order of two kinds of equal size.)
    Worked value: 1 parameter on 2 devices takes 16 bytes in stage 0 and 8 in stage 3.
    """
    ...

# %%
paper = [round(float(bytes_a_device(7.5e9, 64, stage)) / 1e9, 1) for stage in range(4)]
claim("7.5 billion parameters on 64 devices: 120, 31.4, 16.6 and 1.9 GB, as in ZeRO's figure 1",
      paper == [120.0, 31.4, 16.6, 1.9])
gpt2 = [round(float(bytes_a_device(1.558e9, 8, stage)) / 1e9, 1) for stage in range(4)]
claim("GPT-2 on 8 devices: 24.9, 8.6, 5.8 and 3.1 GB", gpt2 == [24.9, 8.6, 5.8, 3.1])

# %% tags=["hide-input"]
fig = pictures.stages(1.558e9, 8)
fig.axes[0].set_title("GPT-2 on 8 devices: from 24.9 to 3.1 GB on each", loc="left")
show(fig, alt="Stacked bars of GB a device for GPT-2 on 8 devices: 24.9 with nothing divided, 8.6, 5.8 "
              "and 3.1 as copy and moments, gradients and weights are divided.")

# %% [markdown]
# The optimizer's state goes first: it is three quarters of the bytes and nobody but the optimizer reads it. What no stage divides are
# the activations, which grow with the rows of a device.
#
# PyTorch's `fully_shard` is stage 3. Each block's weights are gathered just before they are needed and dropped again; its gradients are
# averaged, and each process keeps its own part of them. In each round of section 2 a device sends $(N-1)/N$ of the size. Without sharding a step takes
# both rounds, for the gradients. Stage 3 takes three: an all-gather of a block's weights for the forward pass, another for the backward pass, and a
# reduce-scatter of its gradients. In the script of section 3 other lines stand in place of `MANY`, and no more.

# %% tags=["nbval-ignore-output"]
SHARDED = '''
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
mesh = init_device_mesh("cpu", (size,))
for part in (*model.blocks, model):  # what is gathered together: a block, then the rest
    fully_shard(part, mesh=mesh)
'''
torchrun(TWO.replace("MANY", SHARDED), results / "sharded.json")
sharded = json.loads((results / "sharded.json").read_text())
here, whole_bytes = sharded["bytes"], 4 * sum(p.numel() for p in new_model().parameters())
print(here, "of", whole_bytes, "bytes, twice that for the moments: float32, 4 + 4 + 8 a parameter")

# %%
shares = [here[kind] / (times * whole_bytes)
          for kind, times in (("weights", 1), ("gradients", 1), ("moments", 2))]
claim("sharded in two: weights, gradients and moments are each half as large, within 1 percent",
      all(abs(share - 0.5) < 0.005 for share in shares), shares=shares)
gap = max(abs(a - b) for a, b in zip(alone, sharded["losses"], strict=True))
claim("and 24 steps have the loss of one process, to 1e-5 in every step", gap < 1e-5,
      largest_difference=gap)

# %% [markdown]
# ## 5 · When one dies
#
# On thousands of GPUs something fails every few hours: 54 days on 16,384 of them had 419 unexpected interruptions (Llama team 2024,
# section 3.3.4). The others wait for a gradient that never comes. Below, process 1 kills itself in step 13, without a word, as the system does
# to a process when memory runs out. The library's layer turns what is left into a sentence; `fit` (chapter 05) has written a checkpoint every five steps.

# %% tags=["nbval-ignore-output"]
DYING = '''
import os, sys
from pathlib import Path
from course_lib.chapters.ch14b_many_devices.small import recipe
from course_lib.training.distributed import LostProcessError, process_group
from course_lib.training.fit import fit

try:
    with process_group() as processes:
        step, draw, trained = recipe(processes)
        taken = []
        def until_it_dies(batch):
            taken.append(batch)
            if processes.rank == 1 and len(taken) == 13:
                os.kill(os.getpid(), 9)
            return step(batch)
        fit(until_it_dies, draw, 20, trained, every=5, progress=False,
            checkpoint=Path(sys.argv[1]) if processes.first else None)   # one of them saves
except LostProcessError as error:
    sys.exit(f"process {processes.rank}: {error}")
'''
said = torchrun(DYING, results / "run.safetensors", survives=False)
print(*[line for line in said.splitlines() if line.startswith("process 0")])

# %%
def goes_on(checkpoint=None):
    """Train to step 20 in this one process, from the checkpoint where there is one."""
    step, draw, trained = recipe(Processes())
    begin = load_checkpoint(checkpoint, trained).step if checkpoint else 0
    history = fit(step, draw, 20, trained, every=5, progress=False)
    return begin, history.curve("loss").values[-1]


_, unbroken = goes_on()
begin, resumed = goes_on(results / "run.safetensors")
claim("the survivor says that another process may be gone, and what to do",
      "or another is gone" in said and "go on with --resume" in said)
claim("one process goes on from the two's checkpoint of step 10, to the mean loss of an unbroken "
      "run's last five steps within 1e-5",
      begin == 10 and abs(resumed - unbroken) < 1e-5, begins=begin, difference=resumed - unbroken)

# %% [markdown]
# The four trainings of `course_lib.train` run so: `torchrun --nproc_per_node=2 -m course_lib.train lm --out run`, each process on its own GPU where
# there are some, and after a death with `--resume`, on any number of processes that divides the batch. The GAN has batch norm, and says that it differs; the language
# model's optimizer Muon works in bfloat16 inside, so that curve agrees to fewer digits.
#
# ## 6 · From here to GPT-3
#
# Chapter 04 counted 6 operations for each parameter and token. With $N$ GPUs,
#
# $$\text{seconds} = \frac{6 \cdot \text{parameters} \cdot \text{tokens}}{N \cdot \text{peak} \cdot \text{utilisation}}. \tag{14b.5}$$
#
# The *peak* is in the GPU's data sheet; *utilisation* is the share of it that such a training reaches.
#
# ### Exercise: days
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("together.training_days")
def training_days(parameters, tokens, devices, peak, utilisation=0.4):
    """Return how many days a training takes.

    peak: operations a second of one device, at best; utilisation: the share of it that is reached.
    Worked value: 1e9 parameters, 2e10 tokens, 8 devices, peak 1e15, utilisation 0.5: 0.347…
    """
    ...

# %% [markdown]
# How many years would one core of the machine on which chapter 05's model was recorded need for GPT-3? That model has 796,928
# parameters and took that core two minutes.

# %% tags=["nbval-ignore-output"]
guess("years_here", ...)

# %%
chapter_05 = recorded("language_model").values
tokens_05 = chapter_05["steps"] * 16 * 128
seconds_05 = chapter_05["steps"] * chapter_05["step_ms"] / 1000
rate = 6 * 796_928 * tokens_05 / seconds_05  # operations a second, as reached there
years = float(training_days(174.6e9, 300e9, 1, rate, 1.0)) / 365
claim("at that rate GPT-3 would take one core more than 50,000 years",
      years > 50_000, guessed="years_here", years=years, operations_a_second=rate)

# %% [markdown]
# Now with GPUs: 40 % of the peak, chosen knowing the last column below; 3.50 dollars for an H100's hour, the price that Karpathy names; its 700 W,
# without the computer around it. GPT-2's paper gives neither cost nor tokens (Karpathy 2026 names 32 TPU v3 for a week, about 43,000 dollars). The
# row is his repetition with llm.c: 8 H100 for 24 hours, a round figure, 672 dollars. Llama 2's GPU-hours stand in its paper, Llama 3.1's in its model card, the peaks (dense, 16 bits) in NVIDIA's data sheets. GPT-3's hours are not counted
# but worked out by Patterson et al. (2021): operations as in our column, divided by the 24.6e12 a second which OpenAI told them a V100 reached.
# Of that row only this rate is news.

# %%
ratios = []
print(f"{'':17}{'tokens':>8}{'FLOPs':>9}{'years, 1 core':>15}{'peak':>15}{'hours at 40 %':>15}"
      f"{'known hours':>13}{'reached':>9}")
for each in costs.TRAININGS:
    hours = 24 * float(training_days(each.parameters, each.tokens, 1, each.peak))
    flops = 6 * each.parameters * each.tokens
    reached = flops / (each.hours * 3600) / each.peak
    print(f"{each.name:17}{each.tokens:8.1e}{flops:9.1e}{flops / rate / 31_536_000:15,.0f}"
          f"{each.card:>6}{each.peak / 1e12:6.0f}e12{hours:15,.0f}{each.hours:13,.0f}{reached:9.1%}")
    if not each.derived:
        ratios.append(hours / each.hours)
claim("at 40 percent of the peak the estimate is within a factor of 1.2 of three published trainings",
      all(1 / 1.2 < ratio < 1.2 for ratio in ratios), estimate_over_published=ratios)
for each, devices in ((costs.TRAININGS[0], 8), (costs.TRAININGS[2], 1024)):
    days = float(training_days(each.parameters, each.tokens, devices, 989e12))
    hours = devices * 24 * days
    print(f"{each.name} on {devices:,} H100: {days:.1f} days, "
          f"{costs.two_digits(3.5 * hours):,.0f} dollars, {costs.two_digits(hours * 0.7 / 1000):g} MWh")

# %% [markdown]
# Patterson et al. give GPT-3 on its V100 1,287 MWh: 330 W for each, and a tenth more for the building.
#
# Stable Diffusion v1 uses each weight at many places of an image, so equation (14b.5) does not count it. Its model card names 150,000 A100-hours, and
# for v1.1 to v1.3 steps that make 2.3 billion images; which trainings the hours cover it does not say. The founder of its company, Mostaque, multiplied the hours (2022, on
# Twitter) by a market price of that year, 4 dollars: 600,000 dollars. At the 250 W that the model card assumes they are 37.5 MWh.
#
# Everything in equation (14b.5) is proportional: half the utilisation is twice the days and the money, and at the same watts twice the energy. And it counts
# one run, not what was tried before.

# %% [markdown]
# ## What stays
#
# - With equal parts [*the average of 2, 3, 4, 6 or 12 gradients is the whole batch's*](#1-·-Parts-of-a-batch). Else parts are
#   [*weighed by what counts*](#Exercise:-weigh-the-parts); with batch norm
#   [*the average of the gradients of two halves of 6 rows is more than 5 percent off*](#Exercise:-weigh-the-parts).
# - Around a ring [*each has sent 2 (N − 1)/N times its own vector*](#Exercise:-a-step-of-the-ring), less than twice; but in the setting
#   of section 2, without overlap, [*by equation (14b.4) 64 devices are 10 times as fast as one*](#Exercise:-a-step-of-the-ring).
# - Two processes have [*the loss of one process, to 1e-5 in every step*](#3-·-Two-processes), and sharded ones too, where
#   [*weights, gradients and moments are each half as large*](#Exercise:-bytes-on-a-device).
# - When a process was killed, [*one process goes on from the two's checkpoint of step 10*](#5-·-When-one-dies).
# - 6 · parameters · tokens at 40 % of the peak, chosen with the hours known,
#   [*is within a factor of 1.2 of three published trainings*](#Exercise:-days).

# %% tags=["nbval-ignore-output"]
progress("14b_many_devices")

# %% [markdown]
# **Open questions.** A layer that does not fit on one device has to be cut as well: which of its two matrices would you cut by columns, and
# which by rows, so that they exchange once? With ten times the batch, is a step still worth as much?
#
# **References.** Patarasuk and Yuan 2009, *Bandwidth optimal all-reduce algorithms*: why no scheme sends less. Li et al. 2020, *PyTorch
# distributed*: section 3, buckets and overlap. Rajbhandari et al. 2020, *ZeRO*: figure 1, section 7 for the traffic. Brown et al. 2020, *Language
# models are few-shot learners*: table D.1. Patterson et al. 2021, *Carbon emissions and large neural network training*: table 4, appendix A. Touvron et al. 2023,
# *Llama 2*: table 2. Llama team 2024, *The Llama 3 herd of models*: section 3.3. Karpathy 2024, llm.c, `scripts/run_gpt2_1558M.sh`; 2026, nanochat, `dev/LEADERBOARD.md`.
# Rombach and Esser 2022, *Stable Diffusion v1 model card*.
