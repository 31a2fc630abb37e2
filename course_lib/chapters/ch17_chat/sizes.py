"""How far it is from here to a chat model: what was published of sizes, labels and costs, and where."""

from dataclasses import dataclass

DOLLARS_AN_HOUR = 2.0  # of one GPU; what the report on DeepSeek-V3 assumes for an H800, used for all rows here

LLAMA_2 = "Touvron et al. 2023, section 3.1, tables 2, 6"


@dataclass(frozen=True)
class Published:
    """A model as its makers describe it; None where they do not say.

    parameters: those that work on a token (of DeepSeek-V3's 671 billion, 37); tokens: read in pretraining; operations:
    of it; labels: answers and comparisons that people wrote; gpu_hours: of the final pretraining alone.
    """

    name: str
    parameters: float
    tokens: float
    operations: float | None
    labels: int | None
    gpu_hours: float | None
    source: str

    @property
    def worked_out(self) -> float:
        """Six operations a parameter and token (chapter 04): our arithmetic, beside what was published."""
        return 6 * self.parameters * self.tokens

    @property
    def millions(self) -> float:
        """What the hours cost in millions of dollars: our arithmetic; 0 where no hours are published."""
        return (self.gpu_hours or 0) * DOLLARS_AN_HOUR / 1e6


PUBLISHED = (
    Published("GPT-3", 175e9, 300e9, 3.14e23, None, None, "Brown et al. 2020, table D.1"),
    # answers written for 13 thousand prompts, answers to 33 thousand others put in order; 31 thousand had no label
    Published("InstructGPT", 175e9, 300e9, None, 13_000 + 33_000, None, "Ouyang et al. 2022, section 3.2"),
    Published("Chinchilla", 70e9, 1.4e12, 5.76e23, None, None, "Hoffmann et al. 2022, section 4"),
    Published("Llama 2, 70 B", 70e9, 2.0e12, None, 27_540 + 1_418_091, 1_720_320, LLAMA_2),
    Published("Llama 3.1, 405 B", 405e9, 15.6e12, 3.8e25, None, 30.84e6, "Llama team 2024; model card"),
    Published("DeepSeek-V3", 37e9, 14.8e12, None, None, 2.664e6, "DeepSeek-AI 2024, table 1"),
)


def table() -> str:
    """Return labels, dollars and sources of the published models in lines."""
    rows = [f"{'':18}{'labels':>10}{'million dollars':>18}   source (–: not published)"]
    for each in PUBLISHED:
        labels = f"{each.labels:,}" if each.labels else "–"
        dollars = f"{each.millions:.1f}" if each.gpu_hours else "–"
        rows.append(f"{each.name:18}{labels:>10}{dollars:>18}   {each.source}")
    return "\n".join(rows)
