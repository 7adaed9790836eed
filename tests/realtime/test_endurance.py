"""Ten thousand frames with twenty swaps: memory stays flat and every frame has its rows."""

from pathlib import Path

import pytest

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.faces.detectors import Haar
from ferbench.realtime.choice import Choice
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.replay import Replay
from ferbench.realtime.rows import RowLog
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.realtime.session import Session
from ferbench.realtime.swaps import swaps
from ferbench.realtime.tables import read_rows

N_FRAMES, N_SWAPS, WARM_UP = 10_000, 20, 2_000
SHIPPED = registry.shipped()
STATM = Path("/proc/self/statm")


def resident_pages() -> int:
    return int(STATM.read_text().split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not STATM.exists(), reason="needs /proc")
def test_memory_is_flat_over_ten_thousand_frames(tiny: Dataset, tmp_path: Path) -> None:
    settings = SceneSettings(n_frames=N_FRAMES, width=320, height=240, face_sizes=(72, 110), faces_per_frame=2)
    scenes = Scenes(tiny.validation, tiny.classes, settings, seed=0)
    lineup = Lineup.of(SHIPPED)
    detectors = Choice("detector", [("haar", Haar(input_size=(160, 120), min_size=60))])
    memory = []
    stretch = N_FRAMES // (N_SWAPS + 1)
    with RowLog(tmp_path / "rows") as log:
        for start in range(0, N_FRAMES, stretch):
            source = Replay(scenes, frames=range(start, min(start + stretch, N_FRAMES)))
            Session(source, detectors, lineup, log).run()
            lineup.next()
            memory.append((start + stretch, resident_pages()))
    warm = [size for seen, size in memory if seen >= WARM_UP]
    assert max(warm) < 1.05 * warm[0], memory
    rows = read_rows(tmp_path / "rows")
    assert rows.frames["frame"].tolist() == list(range(N_FRAMES))
    assert set(rows.frames["outcome"]) == {"done"} and set(rows.frames["recognizer"]) == set(SHIPPED)
    assert swaps(rows).n >= N_SWAPS
    assert len(rows.truths) == 2 * N_FRAMES
