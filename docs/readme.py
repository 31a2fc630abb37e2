"""The parts of README.md that are made from what is stored: its badges, the table of chapters, what was measured.

    python docs/readme.py          writes them anew
    python docs/readme.py --check  writes nothing, and fails where one is not what is stored

Each stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. Minutes come from a chapter's card and from the boxes of
its exercises, seconds from the notebook's metadata and from the record of the GPU, figures from the other records.
"""

import json
import math
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]
from alone import repository  # noqa: E402

from docs import stage  # noqa: E402

README = ROOT / "README.md"
PARTS = {f"{first:02}": part for part, first in stage.PARTS.items()}
BOX = re.compile(r"difficulty \d/5 · importance \d/5 · (\d+) minutes")
CARD = re.compile(r"\*\*Time\*\* (\d+) minutes")
Row = tuple[str, str, str, str]


def record(name: str) -> dict:
    """Return the values of a record of benchmarks/results."""
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))["values"]


# --- the chapters ----------------------------------------------------------------------------------------------


def notebooks() -> list[Path]:
    """Return the chapters' notebooks in order."""
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))


def times(notebook: dict) -> tuple[int, list[int], int]:
    """Return a chapter's minutes to read, the minutes of each exercise, and its seconds on two cores."""
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    card = CARD.search(text)
    if not card:
        raise ValueError("a chapter's card: expected '**Time** N minutes', found none")
    return int(card[1]), [int(minutes) for minutes in BOX.findall(text)], notebook["metadata"]["course"]["seconds"]


def row(path: Path, on_gpu: dict[str, float]) -> str:
    """Return a chapter's row of the table."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    question = " ".join(stage.QUESTION.search("".join(notebook["cells"][0]["source"]))[1].split())
    read, exercises, seconds = times(notebook)
    number = path.stem.split("_")[0]
    optional = "" if number.isdigit() else " (optional)"
    gpu = f"{on_gpu[path.stem]:.0f}" if path.stem in on_gpu else "–"
    done = f"{len(exercises)}: {sum(exercises)}"
    link = f"[`{path.stem}`](notebooks/{path.name}){optional}"
    return f"| {PARTS.get(number, '')} | {link} | {question} | {read} | {done} | {seconds} | {gpu} |"


def chapters() -> str:
    """Return the table of chapters."""
    rows = record("full_budgets")["rows"]
    on_gpu = {each["chapter"]: each["seconds"] for each in rows if each["budget"] == "full" and each["ended"]}
    head = "| | chapter | question | read, min | exercises: min | CPU, s | GPU, s |"
    return "\n".join(
        [head, "| --- | --- | --- | --: | --: | --: | --: |", *(row(path, on_gpu) for path in notebooks())]
    )


# --- what was measured -----------------------------------------------------------------------------------------


def span(values: list[float], digits: int) -> str:
    """Return the smallest and the largest of several runs."""
    return f"{min(values):.{digits}f} … {max(values):.{digits}f}".replace("-", "−")


def measured() -> str:
    """Return the table of what was measured, each beside a published number or another's own code."""
    rows = [vae(), *language(), *steps(), gan(), *flow()]
    head = "| what | here | beside it | what differs |\n| --- | --- | --- | --- |"
    return "\n".join([head, *(f"| {' | '.join(row)} |" for row in rows)])


def vae() -> Row:
    """Return the row of the VAE's likelihood."""
    nats = record("vae_digits")["5 draws"]["test_5000"]
    return (
        "VAE of binary digits, nats an image, official test digits, k = 5,000",
        span(nats, 2),
        "−86.76, Burda et al. 2016",
        "they have 60,000 digits for training, more of it, one draw and narrower layers, and drew the test pixels "
        "differently; here are 9,000 digits and five draws, k = 100 on all and what 5,000 add on 1,000 of them",
    )


def language() -> list[Row]:
    """Return the rows of the language model: against counts, and against nanoGPT's recipe."""
    model = [nats / math.log(2) for nats in record("language_model")["test"]["sliding"]]
    counts, minute = record("rivals")["test"]["order 7, 3 discounts"], record("against_nanogpt")
    size, counts_on = record("language_model")["parameters"], record("rivals")["test"]["counts on, 128"]
    learns_on = [nats / math.log(2) for nats in record("language_model")["test"]["adaptive"]]
    return [
        (
            "Shakespeare, bits a character, test part",
            span(model, 2),
            f"{counts:.2f}, the best fixed counts that were tried",
            f"the model has {size:,} parameters and two minutes of one core; neither learns while it is tested. "
            f"Of those that do, counts come to {counts_on:.2f}, the model to {sum(learns_on) / len(learns_on):.2f}",
        ),
        (
            "the same, nats on the validation part, after one minute of two cores",
            span(minute["ours"], 2),
            f"{span(minute['nanogpt'], 2)}, nanoGPT’s recipe for a CPU",
            "both were run here, in turns, three seeds each; that recipe was made for a few minutes of a laptop",
        ),
    ]


def steps() -> list[Row]:
    """Return the rows of the time of a step, as a share of the time of others' code on the same machine."""
    full, half = (each for each in record("step_times")["rows"] if each["context"] == 128)
    fastest = min(full["nanogpt"], half["nanogpt"])  # bfloat16 slows it down here
    vae_step, gan_step, flow_step = (record(name)["rows"][0] for name in ("vae_steps", "gan_steps", "flow_steps"))
    return [
        (
            "a step of the language model",
            f"{full['ratio']:.2f} of its time",
            "nanoGPT’s",
            f"float32; in bfloat16, which is slower for nanoGPT here, {half['ours'] / fastest:.2f} of its float32 time",
        ),
        (
            "a step of the VAE",
            f"{1 / vae_step['ours_ratio']:.2f} of its time",
            "PyTorch’s example",
            f"float32, loading included; bfloat16 {1 / vae_step['ours_bfloat16_ratio']:.2f}",
        ),
        (
            "a step of the GAN, 32 channels",
            f"{gan_step['ours_ratio']:.2f} of its time",
            "PyTorch’s tutorial",
            f"float32, loading included, one core; bfloat16 {gan_step['ours_bfloat16_ratio']:.2f}",
        ),
        (
            "a step of the flow of digits",
            f"{flow_step['ours_ratio']:.2f} of its time",
            "a plain loop’s with the same network",
            f"float32, loading included, one core; bfloat16 {flow_step['ours_bfloat16_ratio']:.2f}",
        ),
    ]


def gan() -> Row:
    """Return the row of the GAN's distance."""
    away = record("gan_images")["digits"]["long"]["frechet_distance"]
    floor = record("metric_floors")["digits"]["real against real"]["train, all"]
    return (
        "GAN of digits with classes, Fréchet distance from the 10,000 test digits",
        span(away, 2),
        f"{floor:.2f}, the 9,000 digits it trained on",
        "no published number: the features are those of the course’s own classifier, so it is no FID",
    )


def flow() -> list[Row]:
    """Return the rows of the flow's distance, on the GAN's yardstick."""
    found, gans = record("diffusion_digits"), record("gan_images")["digits"]
    seconds = sum(found["no classes"]["seconds"]) / 5
    guided = found["classes"]["weight 1.5"]
    return [
        (
            "diffusion of digits without classes, the same distance",
            span(found["no classes"]["frechet_distance"], 2),
            f"{span(gans['both']['frechet_distance'], 2)}, the GAN without classes that came nearest",
            f"both were run here; other networks, other times: {seconds:.0f} s of one core, loading included, and 19 "
            "passes an image",
        ),
        (
            "the same with classes and guidance 1.5",
            span(guided["frechet_distance"], 2),
            f"{span(gans['long']['frechet_distance'], 2)}, the GAN with classes",
            f"weight chosen by one seed on validation digits; read as asked: {span(guided['accuracy'], 3)}, the "
            f"GAN’s {span(gans['long']['accuracy'], 3)}",
        ),
    ]


# --- the page --------------------------------------------------------------------------------------------------


def badges(address: str) -> str:
    """Return the links that need the course's public address; '' as long as it has none."""
    if not address:
        return ""
    name = address.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{name}/blob/main/notebooks/00_start_here.ipynb"
    binder = f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/work/00_start_here.ipynb"
    return f"[Open chapter 00 in Colab]({colab}) · [Open the course in Binder]({binder})"


def made(address: str) -> dict[str, str]:
    """Return the name of each part, and its text."""
    return {"badges": badges(address), "chapters": chapters(), "measured": measured()}


def with_parts(page: str, parts: dict[str, str]) -> str:
    """Return a page with the text between the marks of each part replaced. ValueError where a mark is missing."""
    for name, text in parts.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        if not marked.search(page):
            raise ValueError(f"README.md: expected <!-- {name} --> … <!-- /{name} -->, found none")
        page = marked.sub(lambda found, text=text: found[1] + (text and text + "\n") + found[2], page)
    return page


def main(arguments: list[str]) -> int:
    """Follow the command line; return the exit status."""
    page = README.read_text(encoding="utf-8")
    now = with_parts(page, made(repository()))
    if arguments == ["--check"]:
        print("README.md is what is stored" if now == page else "README.md: `python docs/readme.py` makes it anew")
        return now != page
    README.write_text(now, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
