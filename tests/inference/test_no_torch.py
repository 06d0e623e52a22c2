"""What answers needs NumPy alone."""

import subprocess
import sys

PROGRAM = """
import sys
from m2rec.inference.engine import InferenceEngine
engine = InferenceEngine.from_folder("checkpoints/rhythm-market")
engine.read([1, 2, 3])
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "scipy", "pandas", "gradio"}))
"""


def test_answering_imports_neither_pytorch_nor_scipy_nor_pandas() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
