"""Recognizers that are Keras networks, and the recipe that trains them."""
