"""Published models, reimplemented and trained and measured exactly as M2Rec is."""
