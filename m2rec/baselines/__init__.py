"""Published models, reimplemented, and trained and evaluated in the same way as M2Rec."""
