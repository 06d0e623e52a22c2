"""The network: three kinds of evidence about the next choice, and one gate that weighs them.

What the paper has (arXiv 2505.04445), where it is here, and where we differ and why:

| idea of the paper | here | where we differ, and why |
| --- | --- | --- |
| multi-scale Mamba over the sequence | `temporal.mamba.TemporalBranch` | Mamba-2's form of the state space (one decay a head), time constants laid far apart and kept: a position costs the same however long the history is |
| FFT with an adaptive frequency filter | `frequency.periodic.PeriodicBranch` | the bands are learned as transfer functions of an FFT, but read each item's own occurrences and not a mixture of vectors: a recurrence of the same item cannot be confused with one of a similar item |
| the same, where items do not recur | `frequency.spectral.SpectralBranch` | the filter over item vectors that the paper describes, made causal: an FFT of the whole sequence would show every position its own future, and all positions are trained at once |
| text embeddings of a language model | `semantic.themes.ThemesBranch` | a belief over themes, in which choices that order or rhythm explain already do not count as taste |
| the same, as a plain summary | `semantic.means.MeansBranch` | decaying means of the texts |
| adaptive gate over the three | `gate.Gate` with `m2rec.M2Rec` | it weighs the branches' distributions (a mixture of softmaxes): probabilities then split exactly into three contributions |
| gate over features, H = Σ g_m b_m | `fusion.FeatureFusion` | the paper's reading, as an option and an ablation |
| scores against item embeddings | `softmax.SoftmaxHead` | ID vector + projected text, so that an item never seen in training is ranked by its text; a learned repeat bias, and one for the newest item, instead of removing items by hand |

`branch.Branch` is all that `M2Rec` knows of a branch; the settings `frequency` and `semantic` choose the variants. `m2rec.inference`
answers with the same weights in NumPy, by a contract of its own (`m2rec.inference.branch.Branch`).
"""  # noqa: E501 a table
