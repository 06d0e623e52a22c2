"""The network: three branches, one gate and the head that scores items."""
