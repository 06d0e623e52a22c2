"""M2Rec: multi-scale Mamba, adaptive frequency filter and text meaning for sequential recommendation (arXiv 2505.04445)."""
