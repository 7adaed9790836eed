"""Engines: programs that run a trained network faster than the framework it was trained with."""
