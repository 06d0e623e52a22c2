"""Starts the page: `python app.py`. The port is `GRADIO_SERVER_PORT`, or the first free one from 7860."""

import sys
from pathlib import Path

from m2rec.errors import M2RecError
from m2rec.port import check_port
from m2rec.ui.web.run import run

if __name__ == "__main__":
    try:
        check_port()
        run(Path(__file__).parent / "checkpoints")
    except M2RecError as error:
        sys.exit(f"M2Rec cannot start. {error}")
