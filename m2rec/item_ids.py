"""What an item's id may be, in tables and in checkpoints."""

LONGEST_ID = 200  # characters: a link to the page takes no more
INVENTED = "~"  # a history entry that starts with it is an invented item, known by its text alone, so no id does
