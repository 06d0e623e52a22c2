"""From interaction tables to prepared sequences: reading, checking, splitting, windowing and text vectors."""
