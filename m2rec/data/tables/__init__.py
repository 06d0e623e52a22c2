"""Tables as people have them: any usual file or pasted list, its layout, columns, cells and times, checked on entry."""
