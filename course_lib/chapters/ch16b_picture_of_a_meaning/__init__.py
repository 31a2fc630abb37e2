"""Chapter 16b: what a judge of pictures and sentences measures, and what can be drawn from that alone."""
