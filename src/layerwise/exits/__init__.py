"""Early exit: how much of the network each example needs.

- `network`: ExitNetwork, a network with heads at some of its taps.
- `heads`: the designs of heads.
- `cuts`: proves that a network can be left at a tap, and by some of a batch.
- `routing`: one forward pass in which each example stops where the policy lets it leave.
- `outcome`: ExitOutcome, what a routed pass gave.
- `costs`: MACs up to each exit, heads included.
- `evaluation`: accuracy against cost over all thresholds, and the oracles.

Who leaves is decided by a policy of `layerwise.arrays.policies`, the same one for simulating and for routing.
"""

from __future__ import annotations
