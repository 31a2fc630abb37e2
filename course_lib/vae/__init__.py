"""The variational autoencoder: likelihoods, bounds, models, the training step, and what its latents are good for."""
