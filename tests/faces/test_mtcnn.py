import importlib.util

import numpy as np
import pytest

from ferbench.errors import MissingLibraryError
from ferbench.faces.mtcnn import Mtcnn
from ferbench.types import FrameImage

HAS_MTCNN = importlib.util.find_spec("mtcnn") is not None
needs_mtcnn = pytest.mark.skipif(not HAS_MTCNN, reason="the extra mtcnn is not installed")


@pytest.mark.skipif(HAS_MTCNN, reason="the extra mtcnn is installed")
def test_without_its_package_it_says_what_to_install(astronaut: FrameImage) -> None:
    with pytest.raises(MissingLibraryError, match=r"pip install 'ferbench\[mtcnn\]'"):
        Mtcnn().detect(astronaut)


@needs_mtcnn
def test_finds_a_person_and_both_eyes(astronaut: FrameImage) -> None:
    faces = Mtcnn().detect(astronaut)
    x1, y1, x2, y2 = faces.boxes[0]
    assert x1 < 200 and x2 > 247 and y1 < 100 and y2 > 145
    assert faces.eyes is not None
    np.testing.assert_allclose(faces.eyes[0], [[203, 105], [244, 105]], atol=9)


@needs_mtcnn
@pytest.mark.parametrize(("height", "width"), [(1, 1), (30, 900), (120, 160)])
def test_finds_nothing_where_nothing_is(height: int, width: int) -> None:
    assert len(Mtcnn().detect(np.full((height, width, 3), 128, np.uint8))) == 0
