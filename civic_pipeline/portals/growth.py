"""How much larger than it was sent something may become as it is unpacked, before it counts as made to fill a disk."""

from civic_pipeline.errors import FileUnreadable

# What is made for it grows a thousandfold; tables grow five- to thirtyfold. What stays small may grow as it likes.
MOST_TIMES, FREE_BYTES = 100, 1 << 30


def refuse_growth(url: str, packed: int, unpacked: int) -> None:
    """Raises FileUnreadable where `packed` bytes became so many `unpacked` ones that nobody means them to be read."""
    if unpacked > max(FREE_BYTES, MOST_TIMES * packed):
        raise FileUnreadable(url, f"unpacked, it grows {MOST_TIMES} times as large and beyond")
