"""Chapter 15b: what else the flow knows."""
