"""Reading tables: any usual file or pasted list, its layout, columns, cells and times, with checks."""
