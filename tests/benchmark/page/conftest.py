"""A running page with a stand-in world, as in the page's own tests."""

from tests.ui.conftest import address

__all__ = ["address"]
