"""Recognizers of handcrafted features and shallow classifiers."""
