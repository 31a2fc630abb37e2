"""What a cell has put out, as HTML of the site: figures with their text, explorers, boxes.

Pure functions of a notebook's outputs; nothing here needs Sphinx. Raw HTML in place of Sphinx's own images, because
myst-nb drops the alternative text, which stands in an output's metadata.
"""

import base64
import html
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

START = "index.html#how-to-start"
MODULE = re.compile(r'class="course-explorer" data-module="([^"]+)"')
PHONE = 640  # pixels: a wider picture scrolls on a phone, so that its letters can be read

Output = dict[str, Any]


@dataclass
class Pictures:
    """The pictures of one page: each is written to a folder, beside the pages, and counted.

    folder: where files go; address: the same place as a page names it; stem: the page's name.
    """

    folder: Path
    address: str
    stem: str
    count: int = field(default=0, init=False)

    def save(self, png: bytes) -> tuple[str, int, int]:
        """Write a PNG as WebP, without loss and about half as large; return its address, width and height."""
        self.count += 1
        name = f"{self.stem}-{self.count:02}.webp"
        with Image.open(io.BytesIO(png)) as image:
            image.save(self.folder / name, "webp", lossless=True)
            return f"{self.address}/{name}", image.width, image.height


def site_outputs(outputs: list[Output], pictures: Pictures, chapter: str) -> list[Output]:
    """Return a cell's outputs as the site shows them; what is no picture, caption or widget stays as it is."""
    shown: list[Output] = []
    caption_said = ""
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data:
            caption_said = alternative_text(output)
            shown.append(as_html(picture(output, pictures, chapter)))
        elif "text/markdown" in data and caption_of(data["text/markdown"]) == caption_said:
            continue  # the caption of the picture above, which has it already
        else:
            shown.append(output)
    return shown


def alternative_text(output: Output) -> str:
    """Return the text that stands for a picture. ValueError where there is none."""
    text = output.get("metadata", {}).get("image/png", {}).get("alt", "")
    if not text.strip():
        raise ValueError("output: expected an alternative text in its metadata, as show(fig, alt=…) puts it, got none")
    return text


def caption_of(markdown: str) -> str:
    """Return the words of a caption, which a notebook stores as one emphasised line."""
    return re.sub(r"^\*(.*)\*$", r"\1", "".join(markdown).strip(), flags=re.S)


def as_html(text: str) -> Output:
    """Return an output that is this HTML."""
    return {"output_type": "display_data", "data": {"text/html": text, "text/plain": ""}, "metadata": {}}


def picture(output: Output, pictures: Pictures, chapter: str) -> str:
    """Return the HTML of a figure, or of an explorer: live where it has a module, else its still.

    Who listens hears the alternative text once: the caption that repeats it is for eyes only.
    """
    alt = alternative_text(output)
    image = image_tag(output["data"]["image/png"], alt, pictures)
    explorer = output["metadata"].get("course_explorer")
    if not explorer:
        caption = f'<figcaption aria-hidden="true">{html.escape(alt)}</figcaption>'
        return f'<figure class="course-figure">{image}{caption}</figure>'
    line = f'<a href="{START}">This picture moves in the course itself: <code>make lab</code>, chapter {chapter}.</a>'
    still = f'<div class="course-still">{image}<p>{line}</p></div>'
    if "module" not in explorer:
        return f'<figure class="course-figure">{still}</figure>'
    told = json.dumps({"data": explorer["data"], "state": explorer["state"]}, ensure_ascii=False)
    told = told.replace("</", "<\\/")  # nothing in it may end the element
    return (
        f'<div class="course-explorer" data-module="{html.escape(explorer["module"])}">'
        f'<script type="application/json">{told}</script>{still}</div>'
    )


def image_tag(png: str, alt: str, pictures: Pictures) -> str:
    """Return an image with its size, so that the page never jumps; beyond the first it is fetched when near."""
    address, width, height = pictures.save(base64.b64decode("".join(png)))
    when = 'fetchpriority="high"' if pictures.count == 1 else 'loading="lazy" decoding="async"'
    kind = ' class="wide"' if width > PHONE else ""
    image = f'<img src="{address}" alt="{html.escape(alt)}" width="{width}" height="{height}" {when}{kind}>'
    return f'<div class="course-picture">{image}</div>'
