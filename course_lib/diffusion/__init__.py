"""Diffusion and flows: paths from noise to data, what a network predicts on them, samplers, guidance, the step."""
