# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14 · Where a step's time goes
#
# **Where does a training step's time go, and which lever moves it?**
#
# ‘A GPU makes training fast’ is true, and of little help when a step is slow. This chapter counts what a step does and
# measures what the machine can do, yours, with a GPU or without. From counts and a few measured rates a step's time can be told
# before it is run. Below are seven models, from 128 to 1,536 numbers a position: ● measured, ▲ told before from counts and from rates that were
# measured without any step, and dashed the rule of thumb of chapter 04.

# %% tags=["hide-input"]
from course_lib.chapters.ch14_training_on_gpu import figures as drawings
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded

told_before = recorded("step_prediction").values
show(drawings.told(told_before),
     alt="Time a token of a training step against the model's width, in float32 and in bfloat16: "
         "measured and told times nearly agree; the rule of thumb lies below, most for narrow models.")

# %% [markdown]
# Afterwards you can
#
# - say from its operations and bytes what an operation is bound by on your machine;
# - read a profile, and tell from it how much a lever can bring at most;
# - predict a step's time before you run it.
#
# **Needs** chapters 03 to 05 and 11. **Time** 50 minutes to read, 30 for the exercises; the cells take about 30 seconds on a CPU.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $n, m, p$ | rows, common length and columns of a product | (n, m)(m, p) |
# | $B, T, C$ | sequences, positions, numbers a position | |
# | $N$ | numbers in a model's matrices | |
# | $L, \nabla L$ | loss; its gradient | |

# %% tags=["nbval-ignore-output"]
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention.dot_product import fast_attention, scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.chapters.ch14_training_on_gpu.profiles import profiled
from course_lib.chapters.ch14_training_on_gpu.seven import seven
from course_lib.chapters.ch14_training_on_gpu.steps import (
    CheckpointedBlock,
    batch_of,
    language_step,
    model_of,
)
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.precision import bfloat16_pays
from course_lib.training.roofline import (
    bandwidth_of_copies,
    fastest,
    matrix_rate,
    ridge,
    step_seconds,
)
from course_lib.training.runtime import start
from course_lib.training.step_time import Sizes, counted, measure_machine, predict_step, training_flops

run = start(seed=0, threads=1)  # one core: its time is the process's own, whatever else runs
device, on_gpu = run.device, run.device.type == "cuda"
f32, bf16, f64 = torch.float32, torch.bfloat16, torch.float64

# %% [markdown]
# ## 1 · Two numbers of a machine
#
# A processor computes, and it fetches what it computes with. So it has a **peak**, the operations a second of a large matrix
# product, and a **bandwidth**, the bytes a second that come from memory and go back to it. Both are printed by makers; we
# measure them. `fastest` calls once to warm up, then takes the smallest of several timings, because what else the machine does
# mostly adds. Where one thread does all the work it counts the time that this process itself has worked, so that other
# programs disturb less; they still share caches and memory. On a GPU a call comes back before its work is done, so `fastest`
# waits for the device before it looks at the clock. Without that wait one times only the asking, not the work.

# %% tags=["nbval-ignore-output"]
side = 4096 if on_gpu else 1024
peak, peak16 = (matrix_rate(side, side, side, dtype, device) for dtype in (f32, bf16))
bandwidth = bandwidth_of_copies(2**28 if on_gpu else 2**26, device=device)
print(f"products of {side}: {peak / 1e9:,.0f} GFLOP/s in float32, {peak16 / 1e9:,.0f} in bfloat16")
print(f"copies: {bandwidth / 1e9:,.0f} GB/s, read and written")
print(f"ridge: {ridge(peak, bandwidth):.1f} operations a byte")
print("bfloat16 pays here:", bfloat16_pays(device))

# %% [markdown]
# Say an operation computes $I$ times for each byte that it moves, its **intensity**. Bytes arrive at the bandwidth, so it
# cannot compute faster than $I$ times that, nor faster than the peak of its kind of work, here of products:
#
# $$\text{operations a second} \;\le\; \min(\text{peak},\; I \cdot \text{bandwidth}). \tag{14.1}$$
#
# This is the **roofline** (Williams et al. 2009). Both bounds meet at the **ridge**, $I = \text{peak}/\text{bandwidth}$: left
# of it an operation waits for bytes, right of it for products. Adding two float32 tensors computes once for each 12 bytes
# (two numbers read, one written).
#
# ### Exercise: the intensity of a product
# *difficulty 2/5 · importance 5/5 · 5 minutes*
#
# Count the operations as in chapter 03, and the bytes as for the sum, at best: none is moved twice.

# %% tags=["nbval-ignore-output"]
@exercise("together.product_intensity")
def product_intensity(n, m, p, itemsize=4):
    """Return the operations a byte of a product of (n, m) and (m, p), numbers of itemsize bytes.

    Worked value: n = m = p = 6 in float32 gives 1.
    """
    ...

# %%
claim("a square product of side n has n/6 operations a byte in float32, n/3 in bfloat16",
      all(abs(product_intensity(n, n, n) - n / 6) < 1e-9 * n
          and abs(product_intensity(n, n, n, 2) - n / 3) < 1e-9 * n for n in (6, 512, 4096)))
claim("a single row times a matrix stays below 1/2 in float32, however wide it is",
      all(0.49 < product_intensity(1, C, C) < 0.5 for C in (128, 1024, 12_288)))

# %% [markdown]
# Here are seven operations in float32 that the chapters before this one are made of (`seven.py`; on a GPU some are larger):
#
# | operation | size | operations a byte |
# | --- | --- | --- |
# | adding | 4 million numbers | 1/12 |
# | softmax, layer norm | rows of 1,024 | 5/8, 7/8: about 5 and 7 for each number |
# | one decoding step | (1, 3072)(3072, 3072): one new position | 1/2 |
# | scores of 64 heads | (256, 32)(32, 256) each | 12.8 |
# | convolution (chapter 11) | 64 images, 32 to 64 channels | 81 |
# | feed-forward product | (2048, 512)(512, 2048) | 171 |
#
# **Guess:** which of them lie left of the ridge that was printed above?

# %% tags=["nbval-ignore-output"]
guess("left_of_the_ridge", ...)

# %% tags=["nbval-ignore-output"]
operations = seven(device, scale=4 if on_gpu else 1)  # a GPU needs larger sizes to show what it can do
intensity = {name: each.flops / each.moved for name, each in operations.items()}
rate = {name: each.flops / fastest(each.call, device, 3) for name, each in operations.items()}
for name in operations:
    print(f"{name:>13}: {intensity[name]:7.2f} a byte, {rate[name] / 1e9:9.1f} GFLOP/s,"
          f" {rate[name] / peak:6.1%} of the peak")

# %%
by_pytorch = {}
for name in ("decoding step", "scores", "convolution", "feed-forward"):
    with FlopCounterMode(display=False) as counter:
        operations[name].call()
    by_pytorch[name] = counter.get_total_flops()
claim("the operations of the four products, counted by hand, are those that PyTorch counts",
      all(operations[name].flops == flops for name, flops in by_pytorch.items()))
left = [name for name in operations if intensity[name] < ridge(peak, bandwidth)]
four = ("adding", "softmax", "layer norm", "decoding step")
of_slope = {name: rate[name] / (intensity[name] * bandwidth) for name in four}
claim("adding, softmax, layer norm and decoding lie left of the ridge, the feed-forward product "
      "right of it",
      set(four) <= set(left) and "feed-forward" not in left,
      guessed="left_of_the_ridge", left=left)
claim("adding and the decoding step reach more than a third of what the bandwidth allows them, the "
      "feed-forward product more than half of the peak",
      min(of_slope["adding"], of_slope["decoding step"]) > 1 / 3 and rate["feed-forward"] > 0.5 * peak,
      of_slope=of_slope, decoding_of_peak=rate["decoding step"] / peak,
      decoding_at_most=intensity["decoding step"] / ridge(peak, bandwidth))

# %% tags=["hide-input"]
points = {name: (intensity[name], rate[name]) for name in operations}
show(drawings.roof(points, peak, bandwidth),
     alt="The roofline of this machine, a slope and a flat roof, with seven measured operations: "
         "adding, softmax, norm and decoding left of the ridge, the feed-forward product right of it.")

# %% [markdown]
# Bytes say how fast an operation can be at most. What holds up a point far below the roof, this picture does not say; *fresh*
# memory is one such thing, as the system sets it up page by page; adding, softmax and norm write where there is room
# already. One can also lie *above*: what fits into a cache does not come from memory, and convolutions have a library of
# their own, on some processors faster than that of products.
#
# ### Exercise: decode for many at once
# *difficulty 3/5 · importance 4/5 · 5 minutes*
#
# NVIDIA gives the H100 989 TFLOP/s for dense products in bfloat16, and 3.35 TB/s. A very wide model writes one position for each of
# $B$ sequences, by products of $(B, C)$ and $(C, C)$ in bfloat16. Count the weights' bytes alone. From which $B$ on are
# the products on that card no longer bound by the bandwidth?

# %% tags=["nbval-ignore-output"]
answer("together.batch_at_the_ridge", ...)

# %% [markdown]
# ## 2 · A profile, and what it promises
#
# A step is a list of such operations. A **profiler** writes down each with its own time. `language_step` is chapter 05's
# step: the library's Transformer, cross-entropy, backward, clipping, AdamW, on one fixed batch, here four blocks of width 128
# and 16 × 64 tokens. What is left *in no operator* is Python's and autograd's own work, and the profiler's. The operator with
# the longest name is the fused attention; the products of its scores are inside it and not `mm`.
#
# **Guess:** which share of the step's *time* do matrix products take (`mm`)?

# %% tags=["nbval-ignore-output"]
guess("share_of_products", ...)

# %% tags=["nbval-ignore-output"]
step = language_step(device=device)
profile = profiled(step, device)
for name, (ms, calls) in list(profile.operators.items())[:8]:
    print(f"{name:>55}: {ms:7.2f} ms in {calls:3} calls")
print(f"{'in no operator':>55}: {profile.outside:7.2f} ms of {profile.ms:.1f}")

# %%
made = counted(step)  # how often the step calls each operation
claim("a step of four blocks has 51 matrix products: 17 layers (q, k and v are one), once forward and "
      "twice backward", made["mm"] == 3 * (4 * 4 + 1))
four_profiles = recorded("step_profiles").values
in_float32, in_bfloat16 = four_profiles["in float32"], four_profiles["sound"]
once32, once16 = (found["operators"]["mm"][0] for found in (in_float32, in_bfloat16))  # ms of all mm
claim("they are less than a sixth of its calls; recorded on one core they take more than half of its "
      "time", made["mm"] < made.total() / 6 and once32 / in_float32["ms"] > 0.5,
      guessed="share_of_products", of_the_time=profile.share("mm"), recorded=once32 / in_float32["ms"],
      of_the_calls=made["mm"] / made.total())

# %% tags=["hide-input"]
show(drawings.profile(profile.operators, profile.outside, profile.ms),
     alt="Bars of the operators of one training step by their share of its time, with milliseconds and "
         "calls: mm is the longest, then attention and the GELU; hatched is what was in no operator.")

# %% [markdown]
# Now a lever makes a share $s$ of the time $f$ times as fast. The rest stays, so the whole becomes
#
# $$\frac{1}{(1 - s) + s/f} \;<\; \frac{1}{1-s} \tag{14.2}$$
#
# times as fast, **Amdahl's law** (1967). A lever that does nothing but halve the time of a tenth saves a twentieth.
#
# The first lever is **precision**. In bfloat16 a number has two bytes in place of four. Some processors multiply such numbers
# directly, and several times as fast; others must imitate it, and become slower. The weights themselves stay in float32 and
# are copied into bfloat16 once a step. You have $f$, peak over peak, from the first cell, and $s$ from the profile.
#
# **Guess** how many times as fast the whole step becomes.

# %% tags=["nbval-ignore-output"]
guess("bfloat16_gain", ...)

# %% tags=["nbval-ignore-output"]
taking = {dtype: fastest(language_step(device=device, bfloat16=dtype == bf16), device)
          for dtype in (f32, bf16)}
share_of_products, faster = profile.share("mm"), peak16 / peak
promised = 1 / (1 - share_of_products + share_of_products / faster)
print({str(dtype): f"{1e3 * seconds:.1f} ms" for dtype, seconds in taking.items()})

# %%
claim("equation (14.2) tells what bfloat16 does to the whole step within a factor of two",
      0.5 < taking[f32] / taking[bf16] / promised < 2, guessed="bfloat16_gain",
      measured=taking[f32] / taking[bf16], promised=promised, products_alone=faster)
kinds = recorded("step_prediction").values
f, s = kinds["bfloat16"]["peak"] / kinds["float32"]["peak"], once32 / in_float32["ms"]
whole, by_law = in_float32["ms"] / in_bfloat16["ms"], 1 / (1 - s + s / f)
claim("recorded: equation (14.2) is within a third of what the whole step gains, the peaks' ratio alone "
      "more than a half too much", by_law < whole < 4 / 3 * by_law and f > 1.5 * whole,
      measured=whole, promised=by_law, peaks=f)
rest32, rest16 = in_float32["ms"] - once32, in_bfloat16["ms"] - once16
claim("recorded: the products become 3.5 to 4.5 times as fast, all the rest together 1.2 to 1.7 times",
      3.5 < once32 / once16 < 4.5 and 1.2 < rest32 / rest16 < 1.7, products=once32 / once16,
      rest=rest32 / rest16)

# %% [markdown]
# The last two claims show what (14.2) leaves out. In the records the products gain about as much as the peak does, but the rest
# does not stay as it was: attention and the GELU read fewer bytes, too, and attention even takes another way of computing. So
# more was gained than promised. Amdahl's law tells what *one* lever does; bfloat16 moves several.
#
# ### Exercise: name the bottleneck
# *difficulty 3/5 · importance 5/5 · 8 minutes*
#
# Four profiles of one model, recorded on one core: a sound step in bfloat16, and three that differ from it in one thing each.
# For each choose one of `float32_products`, `tiny_batch`, `data` (the batch is made too slowly),
# `explicit_attention` (written out, with a mask filled in) and `optimizer` (it updates one tensor after the other).

# %% tags=["hide-input"]
show(drawings.profiles(four_profiles),
     alt="Profiles of four training steps as bars with milliseconds and calls of their first operators "
         "and the time in no operator: a sound one, and steps a, b and c, which are to be diagnosed.")

# %% tags=["nbval-ignore-output"]
answer("together.profile_a", ...)
answer("together.profile_b", ...)
answer("together.profile_c", ...)

# %% [markdown]
# One more fault shows only on a GPU, where the program may stand waiting for the device; section 3 looks for it.
#
# ## 3 · One lever at a time
#
# **Fewer, larger calls.** Each call costs some microseconds before it computes anything: Python, autograd, on a GPU the
# *launch*. A batch of 64 makes as many calls as a batch of 1.
#
# **Guess:** sequences of 16 tokens; how many times as many tokens a second does a step of 64 of them process as a step of one?

# %% tags=["nbval-ignore-output"]
guess("batch_gain", ...)

# %% tags=["nbval-ignore-output"]
batches = (1, 8, 64)
small_steps = {B: language_step(batch=B, time=16, device=device) for B in batches}
per_second = {B: 16 * B / fastest(call, device) for B, call in small_steps.items()}
print({B: f"{rate:,.0f} tokens a second" for B, rate in per_second.items()})

# %%
levers = recorded("step_levers").values
small = levers["small"]
best = {arm: min(times) for arm, times in small.items() if arm != "seconds to compile"}
as_many = [counted(call).total() for call in small_steps.values()]
claim("a step makes as many calls for 1, 8 and 64 sequences, within a tenth",
      max(as_many) < 1.1 * min(as_many), calls=as_many)
gain = per_second[64] / per_second[1]
claim("64 sequences a step: at least twice the tokens a second of one", gain > 2, guessed="batch_gain",
      times=gain)

model = model_of(128, 4, 64).to(device)
for parameter in model.parameters():
    parameter.grad = torch.zeros_like(parameter)
updates = {way: torch.optim.AdamW(model.parameters(), foreach=False, fused=way == "fused")
           for way in ("one by one", "fused")}
for optimizer in updates.values():
    optimizer.step()  # the first one also makes the running means
by_way = {way: counted(optimizer.step).total() for way, optimizer in updates.items()}
claim("AdamW one tensor after the other makes more than ten times the calls of the fused one; recorded "
      "with 1,024 tokens, that changes the step's time by less than a tenth",
      by_way["one by one"] > 10 * by_way["fused"]
      and 0.9 < best["update one by one"] / best["as it is"] < 1.1, calls=by_way,
      times_as_long=best["update one by one"] / best["as it is"])

# %% [markdown]
# That is a step of 1,024 tokens, where the work outweighs the calls; in one of 16 tokens the same calls weigh more.
#
# **Compiling** (`torch.compile`) joins neighbouring operations into one, which saves calls and bytes. It needs a
# compiler, for C++ or for a GPU, and time, so it is recorded here.
#
# **Layout.** An image tensor of shape (B, C, height, width) can lie in memory channel by channel, or with a
# pixel's channels side by side, `channels_last`. Shape and numbers stay.

# %%
pays = 1e3 * small["seconds to compile"] / (best["as it is"] - best["compiled"])
claim("recorded: compiling takes the processor as long as a hundred steps and more, and in float32 it "
      "has paid for itself after thousands", 1e3 * small["seconds to compile"] > 100 * best["as it is"]
      and pays > 2000, steps=pays, seconds=small["seconds to compile"],
      ms=best["as it is"], ms_compiled=best["compiled"])
pixels, filters = (torch.randn(shape, dtype=f64).to(run.float64_device)
                   for shape in ((8, 32, 14, 14), (64, 32, 4, 4)))
last = pixels.to(memory_format=torch.channels_last)
claim("channels last: the same shape, another order in memory, the same convolution in float64",
      last.shape == pixels.shape and last.stride() == (32 * 14 * 14, 1, 14 * 32, 32)
      and torch.allclose(F.conv2d(last, filters), F.conv2d(pixels, filters), rtol=1e-10, atol=1e-10),
      recorded_first_ms=min(levers["images"]["channels first"]),
      recorded_last_ms=min(levers["images"]["channels last"]))

# %% [markdown]
# **Fewer bytes to keep.** The way back needs what the way forward computed, so autograd keeps it. `kept` asks autograd's own hook
# what that is. Attention written out keeps tables of $T \times T$; the fused one keeps $q$, $k$, $v$, the result and a sum for each row,
# and computes the weights again on the way back (chapter 03b). In bfloat16 on a CPU the library's `fast_attention` keeps tables,
# too, up to 512 positions.

# %%
def kept(call):
    """Return the bytes that autograd keeps for the way back, each memory once, and the result."""
    sizes = {}

    def note(x):
        sizes[x.untyped_storage()._cdata] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        result = call()
    return sum(sizes.values()), result


q, k, v = torch.randn(3, 1, 4, 512, 32).requires_grad_().unbind()  # counted on the processor
explicit, _ = kept(lambda: scaled_dot_product_attention(q, k, v, causal_mask(512)))
fused, _ = kept(lambda: fast_attention(q, k, v, causal=True))
claim("at 512 positions in float32 explicit attention keeps over four times the bytes of the fused one",
      explicit > 4 * fused, explicit=explicit, fused=fused)

# %% [markdown]
# **No wait by accident.** A GPU's calls return at once; the processor runs ahead, queueing work. But a line that needs a
# *number* must wait until all queued work is done. One read a step costs the first call's launch and what Python does before it;
# a read after each call costs every launch. On a CPU nothing runs ahead, so a profile there shows nothing. Reads by `item`, `float`,
# `if` and formatting can be counted on any machine. `.cpu()`, `.tolist()`, `nonzero` and an index by a mask wait, too, and
# this count misses them.
#
# **Guess:** which of these five lines read a number back?
#
# `losses.append(loss)` · `losses.append(loss.item())` · `if norm > 10: …` · `total += loss.detach()` · `f"{loss:.2f}"`

# %% tags=["nbval-ignore-output"]
guess("waits", ...)

# %%
(loss, norm, total), losses = torch.ones(3).unbind(), []
lines = {"append(loss)": lambda: losses.append(loss),
         "append(loss.item())": lambda: losses.append(loss.item()),
         "if norm > 10": lambda: bool(norm > 10),
         "total += loss.detach()": lambda: total.add_(loss.detach()),
         "format": lambda: f"{loss:.2f}"}
reads = {line: counted(call)["_local_scalar_dense"] for line, call in lines.items()}
claim("three of the five lines read a number back: item, if and the format",
      [line for line, n in reads.items() if n] == ["append(loss.item())", "if norm > 10", "format"],
      guessed="waits", reads=list(reads.values()))
claim("the library's whole training step reads none by item, if or format",
      counted(step)["_local_scalar_dense"] == 0)

# %% tags=["hide-input"]
show(drawings.waiting(),
     alt="A processor that calls and a device that works, as two lanes. Left, three calls follow each "
         "other and the device, once begun, does not pause. Right, a number is read after each call, "
         "and the device idles during the next one.")

# %% [markdown]
# **Memory for time.** A batch that does not fit is cut into parts. Each part's backward *adds* its gradient to what is there,
# so that only one part is held at a time. This is **accumulating**.
#
# ### Exercise: accumulate
# *difficulty 2/5 · importance 5/5 · 7 minutes*
#
# The parts are unequal, as when the last one is not full. For each you have the gradient of the *mean* loss over its own
# examples. What is the gradient of the mean over all?

# %% tags=["nbval-ignore-output"]
@exercise("together.accumulated_gradient")
def accumulated_gradient(gradients, sizes):
    """Return the gradient of the mean loss over all examples, of one gradient's shape.

    gradients (parts, ...): of each part's own mean loss; sizes (parts,): examples of each.
    Worked value: gradients [1., 5.] of parts of 3 and 1 examples give 2.
    """
    ...

# %%
exact = model_of(32, 2, 16).to(run.float64_device, f64)
tokens, targets = batch_of(8, 16, run.float64_device)
weights = list(exact.parameters())
loss_of = lambda rows: F.cross_entropy(exact(tokens[rows]).flatten(0, 1), targets[rows].flatten())
flat = lambda loss: torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])
everything, parts = torch.arange(8), torch.arange(8).split([1, 2, 5])
each = torch.stack([flat(loss_of(rows)) for rows in parts])  # (parts, numbers)
whole = flat(loss_of(everything))
joined = accumulated_gradient(each, torch.tensor([1.0, 2.0, 5.0]).to(each))
claim("parts of 1, 2 and 5 sequences give the whole batch's ∇L, in float64",
      torch.allclose(joined, whole, rtol=1e-8, atol=1e-10))
mean_off = (each.mean(0) - whole).norm() / whole.norm()
claim("the plain mean of the three is off by more than a twentieth, their sum by more than the whole",
      mean_off > 0.05 and (each.sum(0) - whole).norm() > whole.norm(), mean_off_by=mean_off)
held = [kept(lambda rows=rows: loss_of(rows))[0] for rows in (everything, everything[:2])]
claim("a quarter of the sequences keeps less than half of the bytes", held[1] < held[0] / 2, bytes=held)

# %% [markdown]
# ### Checkpointing
#
# This way (Chen et al. 2016) also keeps less. A block keeps its input alone and runs forward *again* on the way
# back. Forward is one part, backward two, so a second forward makes four parts of three.
#
# **Guess:** by which factor do the operations of the layers' products (`mm`) grow, exactly? The last product of a block, down from
# $4C$, has a result that nobody needs the second time.

# %% tags=["nbval-ignore-output"]
guess("checkpoint_factor", ...)

# %%
counts = {}
batch = batch_of(4, 64, device)
for kind in (type(exact.blocks[0]), CheckpointedBlock):
    model = model_of(128, 4, 64, kind).to(device)
    with FlopCounterMode(display=False) as counter:
        size, loss = kept(lambda model=model: F.cross_entropy(model(batch[0]).flatten(0, 1),
                                                              batch[1].flatten()))
        gradients = torch.autograd.grad(loss, list(model.parameters()))
    products = counter.get_flop_counts()["Global"][torch.ops.aten.mm]
    counts[kind.__name__] = products, size, torch.cat([g.flatten() for g in gradients])
(plain, plain_bytes, once), (more, fewer_bytes, again) = counts.values()
forward = 256 * 4 * 24 * 128**2  # tokens, blocks, operations of a block's matrices a position
# two thirds of one part in three are 2/9: a factor of 1.22, less a little, as the readout runs once
claim("checkpointed: two thirds of each block's products come on top, since the last is not needed "
      "again",
      more - plain == forward * 2 // 3, guessed="checkpoint_factor", factor=more / plain)
claim("the gradients are the same to a thousandth, and less than a quarter of the bytes is kept",
      torch.allclose(once, again, rtol=0, atol=1e-3 * once.abs().max().item())
      and fewer_bytes < plain_bytes / 4, before=plain_bytes, after=fewer_bytes)
longer = [min(levers[size]["checkpointed"]) / min(levers[size]["as it is"])
          for size in ("small", "wide")]
claim("recorded, widths 128 and 512: a checkpointed step takes 1.1 to 1.5 times as long",
      all(1.1 < factor < 1.5 for factor in longer), times=longer)

# %% [markdown]
# ## 4 · A step's time, before it is run
#
# Operations run one after the other. So a step takes
#
# $$\sum_{\text{operations}} \Big(\text{launch} + \max\Big(\frac{\text{operations}}{\text{peak}},\;
#   \frac{\text{bytes}}{\text{bandwidth}}\Big)\Big). \tag{14.3}$$
#
# ### Exercise: a step's time on paper
# *difficulty 3/5 · importance 5/5 · 5 minutes*
#
# A model of two blocks, 512 numbers a position and 65 symbols learns from 8 × 128 tokens in float32. On the core of our records
# its linear layers run at 100 GFLOP/s, forward and backward. How many milliseconds does one step take? The products of the matrices
# are enough for an estimate: you are right within an eighth of what was measured.

# %% tags=["nbval-ignore-output"]
answer("together.step_on_paper", ...)

# %%
def operations_of(C, blocks, B, T, V=65):
    """Return (operations, bytes) of each part of a training step in float32, without launches."""
    n, found = B * T, []
    for m, p in [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)] * blocks + [(C, V)]:
        found += 3 * [(2 * n * m * p, 4 * (n * m + m * p + n * p))]  # forward, and two backward
    # at best: attention moves q, k, v and its result, and 8 such tensors on the way back
    found += blocks * [(12 * n * T * C, 4 * 12 * n * C)]
    # norms 4 and sums 6 forward, both 6 each on the way back, and 12 to join the gradients of q, k, v
    found += blocks * [(0, 4 * 34 * n * C)]
    found += blocks * [(0, 4 * 20 * n * C)]  # the GELU: 2 forward and 3 back, each of 4 C
    return [*found, (0, 4 * (3 + 7) * (12 * blocks * C**2 + V * C))]  # clipping; AdamW


width = 192  # not one of the recorded widths
sizes = Sizes(width, 2, 65, batch=8, time=128)
listed = operations_of(width, 2, 8, 128)
live = language_step(width, 2, 8, 128, device)
with FlopCounterMode(display=False) as counter:
    live()
in_matrices = sum(work for work, _ in listed[: 3 * (4 * 2 + 1)])
claim("the list's matrix products have the operations that PyTorch counts in a whole step, 6 a token "
      "for each of N numbers", counter.get_flop_counts()["Global"][torch.ops.aten.mm] == in_matrices
      and in_matrices == 6 * sizes.tokens * sizes.matrices, operations=in_matrices)

# %% [markdown]
# Equation (14.3) with the best rates is a hopeful estimate: products of a model's shapes rarely reach the peak. The library's
# `predict_step` is a similar sum, where each kind of work has its own *measured* rate: linear layers of three widths,
# additions of four sizes, attention, the GELU, one small call.
#
# How well a step uses the machine is said by its **share of the peak**, in papers *model FLOP utilisation*:
#
# $$\frac{\text{operations of the products}}{\text{seconds} \cdot \text{peak}}. \tag{14.4}$$
#
# Recomputed operations do not count. We divide by the peak that we measured; papers take the one that the maker prints. With the
# full budget of a GPU the next cell goes up to width 1,536, compiled. No GPU's numbers are recorded here: what the cell prints
# on yours is the measurement.

# %% tags=["nbval-ignore-output"]
attend = lambda q, k, v: fast_attention(q, k, v, causal=True)
machine = measure_machine(device, time=128, attend=attend)
told = predict_step(sizes, machine, counted(live).total())  # before the step is timed
hoped, taken = step_seconds(listed, peak, bandwidth), fastest(live, device, 3)
print(f"hoped {1e3 * hoped:.1f} ms, told {1e3 * told['total']:.1f} ms, measured {1e3 * taken:.1f} ms")
run.expect("eight steps, compiled", minutes=5)
for C, blocks, B, T in run.pick(quick=((128, 2, 8, 64), (384, 2, 4, 64)),
                                full=((128, 6, 64, 256), (384, 6, 64, 256), (1024, 6, 32, 256),
                                      (1536, 6, 16, 256))):
    for precision, best_rate in (("float32", peak), ("bfloat16", peak16)):
        call = language_step(C, blocks, B, T, device, precision == "bfloat16",
                             compiled=run.pick(quick=False, full=on_gpu))
        work = training_flops(Sizes(C, blocks, 65, B, T))
        print(f"width {C}, {precision}: {work / fastest(call, device, 3) / best_rate:.0%} of the peak")

# %%
claim("live, width 192: the step takes between half and twice the time that was told",
      0.5 < taken / told["total"] < 2, told=told["total"], measured=taken)
rows = {name: told_before[name]["rows"] for name in ("float32", "bfloat16")}
ratio = {name: [each["predicted_ms"] / each["ms"] for each in rows[name]] for name in rows}
rule = {name: [each["rule_ms"] / each["ms"] for each in rows[name]] for name in rows}
off = {name: max(abs(each - 1) for each in ratio[name]) for name in rows}
claim("recorded, widths 128 to 1,536: told within 10 % in float32 and within 20 % in bfloat16",
      off["float32"] < 0.10 and off["bfloat16"] < 0.20, **off)
claim("told closer than by the rule, 6 N a token at the peak, at each width; in bfloat16 the rule "
      "tells less than 3/4 of the time", max(rule["bfloat16"]) < 0.75 and all(
          abs(a - 1) < abs(b - 1) for n in rows for a, b in zip(ratio[n], rule[n], strict=True)),
      **rule)
# a call of a real step, with its modules and autograd, costs more than one of our chain of small ones
few = {name: [each["ms"] / each["predicted_ms"] for each in told_before[name]["small"]] for name in rows}
claim("recorded, width 128: a step of 16 tokens takes more than twice the time that is told",
      min(few["float32"][0], few["bfloat16"][0]) > 2, **few)
# the batches change, too: from 16 sequences at width 128 down to 4
shares = {name: [each["share_of_peak"] for each in rows[name]] for name in rows}
claim("recorded on one core: width 128 uses a smaller share of the peak than any other width, in "
      "bfloat16 less than half", all(share[0] < min(share[1:]) for share in shares.values())
      and shares["bfloat16"][0] < 0.5, **shares)

# %% [markdown]
# ## What stays
#
# - Bytes cap what reuses nothing: such operations [*lie left of the ridge*](#Exercise:-the-intensity-of-a-product).
# - What a lever leaves alone limits it: equation (14.2)
#   [*is within a third of what the whole step gains*](#2-·-A-profile,-and-what-it-promises), and below it, for bfloat16 moves
#   [*all the rest together*](#2-·-A-profile,-and-what-it-promises), too.
# - Small steps make [*as many calls for 1, 8 and 64 sequences*](#3-·-One-lever-at-a-time); and
#   [*three of the five lines read a number back*](#3-·-One-lever-at-a-time), which a GPU waits for.
# - Unequal parts count by their sizes ([*give the whole batch's ∇L*](#Exercise:-accumulate)); checkpointing pays for memory
#   with operations ([*two thirds of each block's products come on top*](#Checkpointing)).
# - Counts and a few measured rates told seven widths' times beforehand, on one core and with at least 512 tokens a step
#   ([*told within 10 % in float32*](#Exercise:-a-step's-time-on-paper)), closer than the rule of thumb; a step of 16 tokens
#   [*takes more than twice the time*](#Exercise:-a-step's-time-on-paper).

# %% tags=["nbval-ignore-output"]
progress("14_training_on_gpu")

# %% [markdown]
# **Open questions.** Which of your own programs reads a number back in each step? What would you have to measure to predict a
# step on a machine that you do not have? What changes in equation (14.3) when the bytes have to come from another machine? The last is the subject of the
# optional chapter 14b: many devices, and what the known models cost.
#
# **References.** Williams, Waterman and Patterson 2009, *Roofline: an insightful visual performance model for multicore
# architectures*: figure 1. Amdahl 1967, *Validity of the single processor approach to achieving large scale computing
# capabilities*. Micikevicius et al. 2018, *Mixed precision training*: section 3. Chen et al. 2016, *Training deep nets with
# sublinear memory cost*: section 3. Chowdhery et al. 2022, *PaLM*: appendix B defines the share of the peak.
