"""Real downloads of cities and states, which tests read beside the checkout. CI has them; no row of them is copied into the project."""

import pytest

from civic_pipeline.settings import CHECKOUT

REAL = CHECKOUT.parent / "shared" / "real"

needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real downloads are not in {REAL}")
