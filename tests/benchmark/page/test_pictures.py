import io

from PIL import Image

from m2rec.benchmark.page.pictures import HOLD, STRIP_WIDTH, _animation


def test_the_animation_has_every_picture_at_one_width() -> None:
    shots = []
    for colour in ("navy", "orange", "green"):
        shot = io.BytesIO()
        Image.new("RGB", (1366, 768), colour).save(shot, "PNG")
        shots.append(shot.getvalue())
    made = Image.open(io.BytesIO(_animation(shots)))
    assert made.format == "WEBP"
    assert (made.n_frames, made.width) == (3, STRIP_WIDTH)  # type: ignore[attr-defined]
    made.seek(1)
    made.load()
    assert made.info["duration"] == HOLD
