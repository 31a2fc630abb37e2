"""Chapter 17b: what preferences and rewards add to a model that answers, and what they break."""
