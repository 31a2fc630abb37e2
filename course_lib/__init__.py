"""Reference implementations of the course, one concept a file; importing any of them has no effect.

The letters of every shape in this package, and of the shape comments behind a reshape:

====== =================== ==================================================================
letter name in signatures  meaning
====== =================== ==================================================================
B      batch               independent sequences
T      query, time         positions of the sequence that asks
S      key                 positions of the sequence that is asked (S = T in self-attention)
H      heads               attention heads
C      d_model             numbers a position carries between the layers
d      d_head, d_value     numbers of one head's query and key, of its value
V      vocab               symbols of the vocabulary
K      K                   components of a mixture
====== =================== ==================================================================

Masks are boolean, True = may attend, as in ``torch.nn.functional.scaled_dot_product_attention``.
``scores`` are numbers before the softmax, ``weights`` are what it makes of them.
"""
