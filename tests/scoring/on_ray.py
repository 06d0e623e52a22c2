"""`score --ray` with two workers. Ray is large, so this is asked for by name and not collected:

pip install -r requirements-scale.txt && pytest tests/scoring/on_ray.py
"""

import pandas as pd
import ray

from m2rec.scoring.ray_run import score_on_ray
from m2rec.scoring.run import Run, score
from m2rec.scoring.scorer import Scorer
from tests.scoring.compare import USERS, answers, check_against_recommend


def test_two_workers_of_ray_answer_as_one_process(world, histories, lists, events, tmp_path) -> None:
    score(Run(world, events, tmp_path / "here", rows_per_part=100))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        scored = score_on_ray(Run(world, events, tmp_path / "ray", rows_per_part=100), workers=2)
        assert (scored.users, scored.parts_before) == (USERS, 0)
        pd.testing.assert_frame_equal(answers(tmp_path / "here"), answers(tmp_path / "ray"), rtol=1e-5)
        check_against_recommend(answers(tmp_path / "ray"), world, histories)
        assert score_on_ray(Run(world, events, tmp_path / "ray", rows_per_part=100)).parts_before == scored.parts
        mapped = ray.data.read_parquet(str(lists)).map_batches(
            Scorer, fn_constructor_args=[str(world)], batch_format="pyarrow", batch_size=20, concurrency=2, num_cpus=0.5
        )
        found = mapped.to_pandas().sort_values(["user", "rank"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(found, answers(tmp_path / "here"), rtol=1e-5, check_dtype=False)
    finally:
        ray.shutdown()
