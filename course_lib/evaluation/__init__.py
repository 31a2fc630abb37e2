"""Measures of trained models: distances of images, neighbours, a classifier, ROC curves, bits a character."""
