"""Training: the loop, checkpoints, optimizers, averages, device, precision and budget."""
