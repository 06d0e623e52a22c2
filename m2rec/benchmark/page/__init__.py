"""The running page: latency of clicks, behaviour under load, and pictures."""
