"""Datasets: labelled faces in three splits, and where they come from."""
