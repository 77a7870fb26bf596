"""Early exit: how much of the network each example needs.

- `network`: ExitNetwork, a network with heads at some of its taps.
- `heads`: the designs of heads.
- `cuts`: proves that a network can be left at a tap, and by some of a batch.
- `routing`: one forward pass in which each example stops where the policy lets it leave.
- `outcome`: ExitOutcome, what a routed pass gave.
- `costs`: MACs up to each exit, heads included.
- `training`: the weighted loss of all exits.
- `recorded`: the logits of all exits for a data set, on which policies are tried.
- `evaluation`: accuracy against cost over all thresholds, and the oracles.
- `prices`: what images cost, in MACs or seconds; `tried`: many choices of thresholds; `budgets`: the one for an
  accuracy, a cost or milliseconds; `guarantee`: one with a promise; `stream`: a threshold that keeps a budget.
- `smaller`: plain networks with fewer channels; `comparison`: early exit against them at their cost.
- `gate`: learns a policy.
- `placement`: which exits are worth having.
- `latency`: milliseconds of each part, and of a routed run.
- `stages`: the network cut at its exits; `export`: one ONNX file that stops.
- `folder`: exits in a run folder; `chosen`: the policy that was chosen for it.

Who leaves is decided by a policy of `layerwise.arrays.policies`, the same one for simulating and for routing.
"""

from __future__ import annotations
