"""`python -m m2rec evaluate WORLD`"""

from m2rec.commands.evaluate.command import evaluate

__all__ = ["evaluate"]
