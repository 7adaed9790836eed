"""Recognizers: from face crops to probabilities of emotions."""
