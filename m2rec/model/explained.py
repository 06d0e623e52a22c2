"""How well the other two kinds of evidence explain what was chosen, which is what the semantic branch may discount."""

from dataclasses import dataclass

from torch import Tensor


@dataclass
class Explained:
    """Log-odds, against an item that nothing speaks for, that a choice was called for by the one before it, and that
    it came back by a rhythm: (B, L) each, or (B,) of the newest alone.
    """

    called: Tensor
    due: Tensor
