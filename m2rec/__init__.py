"""M2Rec: multi-scale Mamba, adaptive FFT filter and text meaning, for sequential recommendation (arXiv 2505.04445)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from m2rec.recommend.recommender import Recommender

__all__ = ["Recommender"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # imported late: most of the command line does not need the hub, the search and the network
    if name == "Recommender":
        from m2rec.recommend.recommender import Recommender

        return Recommender
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
