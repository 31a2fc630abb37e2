"""Every chapter in JupyterLab, on AVX2: Run All Cells shows what the stored notebook shows."""

import pytest
from browser.run_all import CHAPTERS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_run_all_shows_what_is_stored(ran, chapter):
    assert not ran[chapter].wrong, "\n".join(ran[chapter].wrong)
