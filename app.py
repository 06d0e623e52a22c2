"""Starts the page: `python app.py`. The port is `GRADIO_SERVER_PORT`, or the first free one from 7860."""

import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import torch

from m2rec.errors import M2RecError
from m2rec.ui.app import build, launch_options
from m2rec.ui.worlds import Worlds

torch.set_num_threads(1)  # an answer is small: more threads only wait for one another

try:
    worlds = Worlds.find(Path(__file__).parent / "checkpoints")
    demo = build(worlds)
except M2RecError as error:
    sys.exit(f"M2Rec cannot start. {error}")

if __name__ == "__main__":
    demo.launch(**launch_options(prevent_thread_lock=True))
    worlds.warm()
    demo.block_thread()
