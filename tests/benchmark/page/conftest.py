"""A running page over a stand-in world, as the page's own tests have it."""

from tests.ui.conftest import address

__all__ = ["address"]
