"""Record what the size of the vocabulary costs: one small model behind three tokenizers; and what GPT's make of texts.

Three vocabularies of byte pairs, learned on the part of Tiny Shakespeare to train on: bytes alone (256; the text has 65
of them), 512 and 2,048. Alike are the model's body, the windows of about 128 characters, 32 a step, the steps, which
read as many characters as the text to train on has, and AdamW's rate. ``trial_bits``: what other rates give on the
validation split, with a seed that is not among those recorded. Keys that begin with ``validation_`` are of that split,
``nats_per_token`` and ``bits_per_character`` of the test split, the last 5 %.

``--js-tiktoken FOLDER``: where ``npm install js-tiktoken`` was run; counts the tokens of ``SENTENCES`` anew. Without it
the counts of the last record stay. Nothing of the package is kept but these counts and the pieces of short examples.
"""

import argparse
import json
import subprocess
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch

from course_lib.attention.tokens import BytePairs
from course_lib.chapters.ch05b_tokens import experiment
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.paths import RESULTS, home

SIZES, SEEDS, TRIAL_SEED = (256, 512, 2048), range(5), 100
RATES = (2e-3, 4e-3, 8e-3, 1.6e-2)
STEPS = 245  # of 32 windows of 128 characters: 1,003,520 characters, the text to train on has 1,003,854
# article 1 of the Universal Declaration of Human Rights (United Nations 1948) in five languages, and sentences of ours
SENTENCES = {
    "English": [
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience "
        "and should act towards one another in a spirit of brotherhood.",
        "It is raining today, so I am staying at home and reading a book.",
        "A token is a piece of text that a language model reads as one number.",
        "How many letters does this word have?",
    ],
    "Chinese": [
        "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
        "今天下雨，所以我待在家里看书。",
        "词元是语言模型当作一个数字来读的一段文字。",
        "这个词有多少个字母？",
    ],
    "German": [
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt "
        "und sollen einander im Geist der Brüderlichkeit begegnen.",
    ],
    "Spanish": [
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y "
        "conciencia, deben comportarse fraternalmente los unos con los otros.",
    ],
    "Hindi": [
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और "
        "अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    ],
}
SHORT = ["strawberry", " strawberry", "Strawberry", "1234567", "127 + 677 = 804", "人", "龙"]
ENCODINGS = ("gpt2", "cl100k_base", "o200k_base")
SCRIPT = """
const { getEncoding } = require('js-tiktoken');
const { sentences, short, encodings } = JSON.parse(require('fs').readFileSync(0));
const found = {};
for (const name of encodings) {
  const e = getEncoding(name);
  const count = Object.fromEntries(Object.entries(sentences).map(([l, t]) => [l, t.map(s => e.encode(s).length)]));
  const pieces = Object.fromEntries(short.map(s => [s, e.encode(s).map(t => e.decode([t]))]));
  const four_digits = {};
  for (let i = 1000; i < 10000; i++) {
    const cut = e.encode(String(i)).map(t => e.decode([t]).length).join('+');
    four_digits[cut] = (four_digits[cut] || 0) + 1;
  }
  found[name] = { count, pieces, four_digits };
}
console.log(JSON.stringify(found));
"""


def prepared(size: int) -> tuple[experiment.Arm, torch.Tensor, dict[str, str]]:
    """Return the arm of a vocabulary, the code of the text to train on, and the other two parts as text."""
    text = load_shakespeare(test=True)
    training = text.decode(text.train)
    tokenizer = BytePairs.train(training, max(SIZES)).first(size)
    tokens = tokenizer.encode(training)
    others = {"validation": text.decode(text.validation), "test": text.decode(text.test)}
    return experiment.arm(tokenizer, training, tokens), tokens, others


def run(size: int, kind: str, seed: int, rate: float, steps: int) -> list:
    """Train one model and return what was asked for and the losses on both held-out parts."""
    torch.set_num_threads(1)
    arm, tokens, others = prepared(size)
    model = experiment.train(arm, tokens, seed, steps, rate=rate)
    return [size, kind, seed, rate, {part: experiment.held_out(arm, model, text) for part, text in others.items()}]


def work(tasks: list[tuple], state: dict, kept: Path) -> None:
    """Do what is not done yet, two at a time, and keep each result as soon as it is there."""
    done = {tuple(row[:4]) for row in state["done"]}
    with ProcessPoolExecutor(2) as pool:
        waiting = [pool.submit(run, *task) for task in tasks if task[:4] not in done]
        for future in as_completed(waiting):
            state["done"].append(future.result())
            print(*state["done"][-1], flush=True)
            kept.write_text(json.dumps(state))


def gpt(folder: str | None) -> dict | None:
    """Return what GPT's tokenizers make of the sentences, from the package in folder or from the last record."""
    if folder is None:
        path = RESULTS / "tokens.json"
        return json.loads(path.read_text(encoding="utf-8"))["values"].get("gpt") if path.is_file() else None
    asked = json.dumps({"sentences": SENTENCES, "short": SHORT, "encodings": ENCODINGS})
    out = subprocess.run(["node", "-e", SCRIPT], input=asked, capture_output=True, text=True, cwd=folder, check=True)
    package = json.loads((Path(folder) / "node_modules/js-tiktoken/package.json").read_text(encoding="utf-8"))
    source = f"npm package {package['name']} {package['version']}, {package['license']} licence"
    return {"source": source, "sentences": SENTENCES, **json.loads(out.stdout)}


def main() -> None:
    """Try the rates, train every arm with every seed, and write the record; what is done is kept in COURSE_HOME."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--js-tiktoken", metavar="FOLDER")
    chosen = arguments.parse_args()
    kept = home() / "tokens.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    state = json.loads(kept.read_text()) if kept.exists() else {"done": []}
    work([(size, "trial", TRIAL_SEED, rate, STEPS) for size in SIZES for rate in RATES], state, kept)
    trials = {(size, rate): losses for size, kind, _, rate, losses in state["done"] if kind == "trial"}
    in_trial = {key: losses["validation"]["bits_per_character"] for key, losses in trials.items()}
    arms = {size: prepared(size)[0] for size in SIZES}
    work([(size, "seed", seed, experiment.RATE, STEPS) for seed in SEEDS for size in SIZES], state, kept)
    values: dict = {"gpt": gpt(chosen.js_tiktoken), "steps": STEPS, "rate": experiment.RATE, "sizes": {}}
    for size, arm in arms.items():
        runs = sorted((row for row in state["done"] if row[:2] == [size, "seed"]), key=lambda row: row[2])
        of_part = {part: [losses[part] for *_, losses in runs] for part in ("test", "validation")}
        values["sizes"][str(size)] = {
            "context": arm.context,
            "per_token": round(arm.per_token, 4),
            "parameters": arm.parameters,
            "step_flops": arm.step_flops,
            "trial_bits": {str(rate): round(in_trial[size, rate], 4) for rate in RATES},
            **{
                ("" if part == "test" else f"{part}_") + key: [round(losses[key], 4) for losses in rows]
                for part, rows in of_part.items()
                for key in rows[0]
            },
        }
    what = "bits per character of two held-out splits, three vocabularies; tokens that GPT's tokenizers make of texts"
    print(write_record("tokens", what, SEEDS, values))


if __name__ == "__main__":
    main()
