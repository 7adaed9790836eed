import numpy as np
import pytest

from ferbench.errors import DataError
from ferbench.realtime.frames import Frame, FrameSource, Truth
from ferbench.types import EMOTIONS


@pytest.mark.parametrize(
    ("boxes", "groups"),
    [(np.zeros((2, 4), np.int32), None), (np.zeros((1, 3), np.int32), None), (np.zeros((1, 4)), np.zeros(2, np.int64))],
)
def test_truth_whose_arrays_do_not_fit_is_refused(boxes, groups) -> None:
    with pytest.raises(DataError, match=r"A truth of 1 labels needs boxes \(1, 4\)"):
        Truth(boxes, np.zeros(1, np.int64), EMOTIONS, groups)


def test_face_of_unknown_place_has_a_box_without_area() -> None:
    truth = Truth.anywhere(3, EMOTIONS, group=7)
    assert len(truth) == 1
    assert EMOTIONS[truth.labels[0]] == "happiness"
    assert truth.boxes.tolist() == [[0, 0, 0, 0]]
    assert truth.groups is not None and truth.groups.tolist() == [7]


def test_source_closes_itself_when_an_error_ends_the_block() -> None:
    class Nothing(FrameSource):
        is_finished = False

        def read(self, timeout: float) -> Frame | None:
            return None

        def close(self) -> None:
            self.is_finished = True

    source = Nothing()
    with pytest.raises(KeyboardInterrupt), source:
        raise KeyboardInterrupt
    assert source.is_finished
