"""The camera loop: sources, swapping recognizers, rows as they happen, and what the rows say."""
