"""Inference in NumPy, without PyTorch: the weights of a checkpoint arranged for one history at a time.

`m2rec/model` trains, evaluates and is the reference; `tests/inference` compares the two.
"""
