"""Limit on decompressed size (decompression-bomb guard)."""

from civic_pipeline.errors import FileUnreadable

# Tables expand 5 to 30 times, bombs about 1,000 times. Up to 1 GB any ratio is allowed.
MAX_RATIO, ALWAYS_ALLOWED_BYTES = 100, 1 << 30


def check_decompressed_size(url: str, compressed: int, decompressed: int) -> None:
    """Raise FileUnreadable if `decompressed` bytes are above the limit for `compressed` bytes."""
    if decompressed > max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * compressed):
        raise FileUnreadable(
            url, f"it expands to more than {MAX_RATIO} times its compressed size: a possible decompression bomb"
        )
