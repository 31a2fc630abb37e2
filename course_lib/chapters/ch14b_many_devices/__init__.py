"""What chapter 14b alone needs: parts of a batch, the ring, two processes, and what trainings cost."""
