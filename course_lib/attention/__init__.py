"""Attention: the dot product, masks, heads, positions, the Transformer and what is drawn from it."""
