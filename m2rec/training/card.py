"""A checkpoint's README: the model, its data, how it was trained, and its limits."""

import json

from m2rec.checkpoint import CheckpointConfig, TrainingRecord

_DATA_NOTES = {
    "rhythm-market": (
        "Every customer, purchase and product description in this world was made for this project. The customers "
        "follow a documented random process (see `m2rec/data/market/`), so the cause of every purchase is known and "
        "the gate can be graded against it. Nothing here says anything about real shoppers. The branches of M2Rec were "
        "designed by people who knew the kind of process, so the market grades whether causes are recovered and by "
        'what, not which model is best in shops in general. Any other program can be graded in the same way: see "Take '
        'the test" in the README.'
    ),
    "ml-1m": (
        "MovieLens-1M is for research use with citation (Harper and Konstan 2015) and may not be redistributed: this "
        "folder holds weights, numeric ids and derived vectors, no title, genre or rating. Titles are read on the "
        "user's machine."
    ),
    "online-retail": (
        "Online Retail (Chen, Sain and Guo 2012; UCI data set 352) is a year of orders at a "
        "British gift shop, published under CC0 in the R package onlineretail with the donor's permission, so the "
        "products' names are here. Many customers are shops themselves. Lines of one order share one time and keep "
        "the order of the table; cancelled orders, unknown customers and postage are left out."
    ),
    "amazon-beauty": (
        "Amazon Beauty 2014 carries no redistribution licence: this folder holds weights, numeric ids and derived "
        "vectors, no title or review."
    ),
}
_OWN_DATA = "This world was trained on its owner's tables."


def _before(record: TrainingRecord | None) -> str:
    """Table rows for the runs whose weights this one started from."""
    if record is None:
        return ""
    summary = f"`{record.command}`: {record.epochs} epochs, best after {record.best_epoch}, {record.seconds:.0f} s"
    return f"| started from | {summary} |\n{_before(record.before)}"


def _ended(training: TrainingRecord) -> str:
    """Why training ended: the best epoch means more when validation has stalled since."""
    patience, limit = training.settings["patience"], training.settings["epochs"]
    if training.epochs - training.best_epoch >= patience:
        return f"ended after {patience} epochs without a better validation"
    return f"ended at the limit of {limit}" if training.epochs >= limit else "stopped by hand before validation stalled"


def model_card(config: CheckpointConfig, description: str) -> str:
    """Markdown with the front matter that a model hub reads."""
    training = config.training
    front = "\n".join(
        ["---", "license: mit", "library_name: m2rec", "tags: [sequential-recommendation, mamba, explainable]", "---"]
    )
    gates = "\n".join(f"- **{name}**: {meaning}" for name, meaning in config.gate_labels.items())
    return f"""{front}

# M2Rec: {config.world}

{description}.

| | |
| --- | --- |
| trained on | {config.trained_on} |
| command | `{training.command}` |
| epochs | {training.epochs}, best after {training.best_epoch}; {_ended(training)} |
{_before(training.before)}| time, peak memory | {training.seconds:.0f} s, {training.peak_memory_mib:.0f} MiB |
| code, date | {training.git_revision}, {training.date} |
| data | {config.data.source}, {config.data.split}, {config.data.users:,} users, {config.data.events:,} events |
| items | {config.model.items:,}, of which {config.model.items - config.model.warm_items:,} known by their text alone |

Figures, with protocol and intervals: `metrics.json`, written by `python -m m2rec evaluate --record`.

## What a gate weight means

The model's answer is a mixture of three distributions, p(i) = Σ g·p(i | kind of evidence); a gate weight g is the
model's probability that this kind of evidence explains the next choice. It is a statement about the model, not about a
person's motives.

{gates}

## Data and limits

{_DATA_NOTES.get(config.data.source, _OWN_DATA)}

## Settings

```json
{json.dumps(training.settings, indent=2)}
```
"""
