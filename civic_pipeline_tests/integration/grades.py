"""How many years of school a reader needs for the paragraphs of a site."""

import html
import re
from pathlib import Path


def grades_of(site: Path) -> list[float]:
    """The grade of each different paragraph of fifteen words or more.

    By the formula of Flesch and Kincaid (1975): 0.39 words a sentence + 11.8 syllables a word - 15.59.
    """
    texts = set[str]()
    for page in site.rglob("index.html"):
        main = re.sub(r"<code.*?</code>", "it", page.read_text(encoding="utf-8").partition("<main")[2], flags=re.DOTALL)
        paragraphs = re.findall(r"<p[^>]*>(.*?)</p>", main, re.DOTALL) + re.findall(r"<dd>([^<]*)</dd>", main)
        texts |= {" ".join(html.unescape(re.sub(r"<[^>]+>", "", paragraph)).split()) for paragraph in paragraphs}
    return [grade for text in texts if (grade := _grade(text)) is not None]


def _grade(text: str) -> float | None:
    words = re.findall(r"[a-z]+", text.lower())
    if len(words) < 15:
        return None
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", text) if re.search("[a-z]{3}", part)]
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", word.removesuffix("e")))) for word in words)
    return 0.39 * len(words) / max(len(sentences), 1) + 11.8 * syllables / len(words) - 15.59
