"""Many networks of one kind trained at once, each in a lane of the processor's vectors.

lanes.cpp     the arithmetic, compiled on first use with the system's compiler
native        the compiled library, or why there is none
network       LaneNetwork: networks of torch in lanes and back, an epoch, logits
"""
