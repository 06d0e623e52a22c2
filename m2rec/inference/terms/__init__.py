"""One item's probability taken apart: the terms that the engine adds and multiplies, for a view that shows them.

Each file stands for one branch and repeats the branch's own arithmetic for a single item, from the same weights and the
same state; `tests/inference/test_terms.py` holds the results to the answers and to the PyTorch network.
"""
