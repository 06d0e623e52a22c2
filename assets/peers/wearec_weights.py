"""WEARec with the weights that its authors published, ranked on this project's test targets.

    python assets/peers/wearec_weights.py ml-1m WEIGHTS.pt --share 0.6 --epochs 41 --best-epoch 31

So nobody has to take our word for that baseline, and a lead over it is not one over a model that we trained less well.
`pip install .` and `python -m m2rec prepare WORLD` first. WEIGHTS.pt is one of the files in `src/output` of
https://github.com/xhy963319431/WEARec: for films `WEFTRec_K_200_ML-1M_0.1_0.0005_0.6_8.pt`, for Beauty
`WEARec_K_50_Beauty_0.5_0.0005_0.2_8.pt` (`amazon-beauty`, `--share 0.2`). The names end with dropout, learning rate,
share α and number of heads; the epochs are in the log beside each file. The repository has no licence, so nothing of it
is part of this project; the network below is written from its description.

The authors' data are this project's: the same histories, with users in the order of their numbers and items numbered as
they first occur. With seen items taken out, the figures are those at the end of the authors' logs. Figures and ranks
are written into `assets/benchmarks/peers/`, from which `python -m m2rec benchmark readme` makes the tables.
"""

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec import paths
from m2rec.atomic import atomic_file
from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared
from m2rec.evaluation.figures import with_intervals
from m2rec.evaluation.protocol import evaluate
from m2rec.evaluation.ranks import save_ranks
from m2rec.evaluation.seen import SEEN
from m2rec.training.machine import device_name

NAME = "WEARec, published weights"
EPSILON = 1e-12  # of the norms, as published

Weights = dict[str, Tensor]


def main() -> None:
    """Rank, print the figures and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", choices=("ml-1m", "amazon-beauty"))
    parser.add_argument("weights", type=Path)
    for name, kind in (("share", float), ("epochs", int), ("best-epoch", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--out", type=Path, default=paths.benchmarks() / "peers")
    given = parser.parse_args()
    prepared = Prepared.load(prepared_folder(given.world))
    weights = torch.load(given.weights, map_location="cpu", weights_only=True)
    known = len(weights["item_embeddings.weight"]) - 1
    if known != prepared.item_count:
        raise SystemExit(f"{given.weights} has {known:,} items and {given.world} {prepared.item_count:,}.")
    model = Published(weights, given.share, prepared)
    found = evaluate(model, prepared, "test", model.max_length)
    about = {
        "model": NAME,
        "made": "trained by its authors (https://github.com/xhy963319431/WEARec), ranked",
        "seed": 42,  # as in its log
        "settings": {"share": given.share},
        "epochs": given.epochs,
        "best_epoch": given.best_epoch,
        "hardware": device_name(torch.device("cpu")),
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python assets/peers/wearec_weights.py {given.world} {given.weights.name} --share {given.share:g} "
        f"--epochs {given.epochs} --best-epoch {given.best_epoch}",
        "targets": len(found.users),
        "ranks": f"{given.world}/wearec-weights.npz",
        "key": f"{hashlib.sha256(given.weights.read_bytes()).hexdigest()} {prepared.fingerprint}",
    }
    figures = {
        seen: {metric: figure.model_dump() for metric, figure in measured.items()}
        for seen, measured in with_intervals(found).items()
    }
    (given.out / given.world).mkdir(parents=True, exist_ok=True)
    save_ranks(given.out / about["ranks"], found, about["key"])
    table = given.out / f"{given.world}.json"
    others = [one for one in read(table) if one["model"] != NAME]
    with atomic_file(table) as temporary:
        temporary.write_text(json.dumps([*others, about | figures], indent=2) + "\n", encoding="utf-8")
    for seen, words in SEEN.items():
        shown = (f"{metric} {figure['value']:.4f}" for metric, figure in figures[seen].items())
        sys.stdout.write(f"{words}: {', '.join(shown)}\n")


def read(table: Path) -> list[dict[str, Any]]:
    """The peers that are recorded already."""
    found: list[dict[str, Any]] = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else []
    return found


class Published(nn.Module):
    """The published network as a model that this project can evaluate."""

    number: Tensor

    def __init__(self, weights: Weights, share: float, prepared: Prepared) -> None:
        super().__init__()
        self.weights, self.share = weights, share
        self.register_buffer("number", torch.from_numpy(numbering(prepared)))

    @property
    def max_length(self) -> int:
        """N, the items that it reads."""
        return len(self.weights["position_embeddings.weight"])

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """Scores of our items 1…V after each marked position; see `m2rec.evaluation.protocol.Scorer`."""
        histories = [self.number[items[row, : position + 1]] for row, position in where.nonzero().tolist()]
        return item_scores(self.weights, histories, self.share)[:, self.number[1:]]


def numbering(prepared: Prepared) -> np.ndarray:
    """The authors' number of each of our items (V+1,): items count from 1 as they first occur, users by number."""
    order = sorted(range(len(prepared.user_ids)), key=lambda user: int(prepared.user_ids[user]))
    items, first = np.unique(np.concatenate([prepared.sequences[user] for user in order]), return_index=True)
    found = np.zeros(prepared.item_count + 1, dtype=np.int64)
    found[items[np.argsort(first)]] = np.arange(1, len(items) + 1)
    return found


# ── the network, as published: histories end at the right, and every layer reads all of a history ───────────────────


def item_scores(weights: Weights, histories: list[Tensor], share: float) -> Tensor:
    """Scores of all items after each history, (B, V+1); number 0 is padding."""
    positions = weights["position_embeddings.weight"]
    items = torch.zeros(len(histories), len(positions), dtype=torch.long)
    for row, history in enumerate(histories):
        newest = history[-len(positions) :]
        items[row, len(positions) - len(newest) :] = newest
    vectors = weights["item_embeddings.weight"]
    return encode(weights, F.embedding(items, vectors), share) @ vectors.T


def encode(weights: Weights, x: Tensor, share: float) -> Tensor:
    """The output at the last position. x (B, N, d), right-aligned → (B, d)."""
    x = norm(x + weights["position_embeddings.weight"], weights, "LayerNorm")
    layers = sum(name.endswith(".base_filter") for name in weights)
    for index in range(layers):
        x = layer(weights, f"item_encoder.blocks.{index}.", x, share)
    return x[:, -1]


def layer(weights: Weights, prefix: str, x: Tensor, share: float) -> Tensor:
    """Adaptive filter and wavelets in parallel, then the position-wise network. (B, N, d) → the same."""
    gain, offset = (weights[f"{prefix}layer.base_{name}"][..., 0] for name in ("filter", "bias"))  # (heads, F)
    hidden = F.gelu(dense(x.mean(1), weights, f"{prefix}layer.adaptive_mlp.0"))
    adapted = dense(hidden, weights, f"{prefix}layer.adaptive_mlp.2").unflatten(-1, (*gain.shape, 2))
    heads = x.unflatten(-1, (len(gain), -1)).transpose(1, 2)  # (B, heads, N, d / heads)
    spectrum = torch.fft.rfft(heads, dim=2, norm="ortho") * (gain * (1 + adapted[..., 0]))[..., None]
    spectrum = spectrum + (offset + adapted[..., 1])[..., None]
    filtered = torch.fft.irfft(spectrum, n=x.shape[1], dim=2, norm="ortho")
    earlier, later = heads[:, :, 0::2], heads[:, :, 1::2]
    detail = weights[f"{prefix}layer.complex_weight"] * (earlier - later) / 2
    mean = (earlier + later) / 2
    local = torch.stack([mean + detail, mean - detail], dim=3).flatten(2, 3)
    both = (share * filtered + (1 - share) * local).transpose(1, 2).flatten(-2)
    x = norm(both + x, weights, f"{prefix}layer.LayerNorm")
    inner = F.gelu(dense(x, weights, f"{prefix}feed_forward.dense_1"))
    return norm(dense(inner, weights, f"{prefix}feed_forward.dense_2") + x, weights, f"{prefix}feed_forward.LayerNorm")


def dense(x: Tensor, weights: Weights, name: str) -> Tensor:
    """A linear layer by its name."""
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def norm(x: Tensor, weights: Weights, name: str) -> Tensor:
    """A norm over channels by its name."""
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], EPSILON)


if __name__ == "__main__":
    main()
